package process

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// Counts are the process's threads, handles, memory in bytes (resident, and its own alone) and context
// switches; what can't be counted is left out.
func Counts() map[string]any {
	counts := make(map[string]any)
	if n, ok := entries("/proc/self/task"); ok {
		counts["threads"] = n
	}
	if n, ok := entries("/proc/self/fd"); ok {
		counts["handles"] = n - 1 // without the one that counts
	}
	if statm, err := os.ReadFile("/proc/self/statm"); err == nil {
		if fields := bytes.Fields(statm); len(fields) > 1 {
			if pages, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				counts["rss"] = pages * int64(os.Getpagesize())
			}
		}
	}
	if uss, ok := alone(); ok {
		counts["uss"] = uss
	}
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) == nil {
		counts["switches"] = map[string]int64{"voluntary": usage.Nvcsw, "involuntary": usage.Nivcsw}
	}
	return counts
}

// alone is the memory that no other process shares: the lines "Private_Dirty:   12 kB" and their like.
func alone() (sum int64, ok bool) {
	rollup, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0, false
	}
	for line := range bytes.Lines(rollup) {
		if fields := bytes.Fields(line); len(fields) > 1 && bytes.HasPrefix(line, []byte("Private_")) {
			if size, err := strconv.ParseInt(string(fields[1]), 10, 64); err == nil {
				sum, ok = sum+size*1024, true
			}
		}
	}
	return sum, ok
}

func entries(path string) (int64, bool) {
	folder, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer func() { _ = folder.Close() }()
	names, err := folder.Readdirnames(-1)
	return int64(len(names)), err == nil
}
