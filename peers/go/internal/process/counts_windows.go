package process

import (
	"syscall"
	"unsafe"
)

var (
	kernel32      = syscall.NewLazyDLL("kernel32.dll")
	handleCount   = kernel32.NewProc("GetProcessHandleCount")
	memoryInfo    = kernel32.NewProc("K32GetProcessMemoryInfo")
	currentHandle = ^uintptr(0) // the pseudo handle of this process
)

// memoryCounters is PROCESS_MEMORY_COUNTERS.
type memoryCounters struct {
	size, pageFaults                                     uint32
	peakWorkingSet, workingSet                           uintptr
	peakPaged, paged, peakNonPaged, nonPaged, file, peak uintptr
}

// Counts are the process's handles and resident memory in bytes; what can't be counted is left out.
// A count of 0 is one that wasn't made: Wine's answer for handles.
func Counts() map[string]any {
	counts := make(map[string]any)
	var handles uint32
	if handleCount.Find() == nil {
		ok, _, _ := handleCount.Call(currentHandle, uintptr(unsafe.Pointer(&handles)))
		if ok != 0 && handles != 0 {
			counts["handles"] = int64(handles)
		}
	}
	memory := memoryCounters{size: uint32(unsafe.Sizeof(memoryCounters{}))}
	if memoryInfo.Find() == nil {
		ok, _, _ := memoryInfo.Call(currentHandle, uintptr(unsafe.Pointer(&memory)), uintptr(memory.size))
		if ok != 0 && memory.workingSet != 0 {
			counts["rss"] = int64(memory.workingSet)
		}
	}
	return counts
}
