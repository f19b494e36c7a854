package process

import (
	"bytes"
	"os"
	"strconv"
)

// Counts are the process's threads, handles and resident memory in bytes; what can't be counted is
// left out.
func Counts() map[string]int64 {
	counts := make(map[string]int64)
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
	return counts
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
