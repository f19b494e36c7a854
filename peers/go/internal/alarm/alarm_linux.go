package alarm

import (
	"os"
	"syscall"
	"time"
	"unsafe"
)

// Alarm is a timerfd that the runtime's poller watches. It serves one goroutine at a time.
type Alarm struct {
	fd   int
	file *os.File // nil where the system has none
}

// New makes an alarm.
func New() *Alarm {
	const monotonic, flags = 1, syscall.O_NONBLOCK | syscall.O_CLOEXEC // CLOCK_MONOTONIC, TFD_*
	fd, _, failed := syscall.Syscall(syscall.SYS_TIMERFD_CREATE, monotonic, flags, 0)
	if failed != 0 {
		return &Alarm{fd: -1}
	}
	return &Alarm{int(fd), os.NewFile(fd, "timerfd")}
}

// Close gives it back.
func (a *Alarm) Close() {
	if a.file != nil {
		_ = a.file.Close()
	}
}

func (a *Alarm) sleep(left time.Duration) {
	if a.file == nil || !a.set(left) {
		time.Sleep(left)
		return
	}
	var times [8]byte
	_, _ = a.file.Read(times[:])
}

// set has the alarm ring after that time, which is more than 0.
func (a *Alarm) set(left time.Duration) bool {
	once := [2]syscall.Timespec{1: syscall.NsecToTimespec(left.Nanoseconds())} // interval, first
	_, _, failed := syscall.Syscall6(
		syscall.SYS_TIMERFD_SETTIME, uintptr(a.fd), 0, uintptr(unsafe.Pointer(&once)), 0, 0, 0)
	return failed == 0
}

// Await blocks the thread until the descriptor can be read or the time is over.
func (a *Alarm) Await(descriptor int, left time.Duration) {
	type pollfd struct {
		fd     int32
		events int16
		_      int16 // what happened
	}
	const in, infinite = 1, 0 // POLLIN, no time limit of its own
	wanted := [2]pollfd{{fd: int32(descriptor), events: in}, {fd: int32(a.fd), events: in}}
	if a.file == nil || !a.set(left) {
		wait := syscall.NsecToTimespec(left.Nanoseconds())
		_, _, _ = syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&wanted)), 1, uintptr(unsafe.Pointer(&wait)), 0, 0, 0)
		return
	}
	_, _, _ = syscall.Syscall6(syscall.SYS_PPOLL, uintptr(unsafe.Pointer(&wanted)), 2, infinite, 0, 0, 0)
}
