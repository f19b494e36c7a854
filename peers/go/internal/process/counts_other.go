//go:build !linux && !windows

package process

// Counts are the process's threads, handles and resident memory in bytes; what can't be counted is
// left out: here, everything.
func Counts() map[string]any { return make(map[string]any) }
