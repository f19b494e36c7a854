//go:build cgo && !windows

package pebbe

import "syscall"

// descriptors is how many file descriptors the process may have, -1 if nobody knows.
func descriptors() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || limit.Cur > 1<<30 {
		return -1
	}
	return int(limit.Cur)
}
