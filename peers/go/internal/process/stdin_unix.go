//go:build unix

package process

import (
	"io"
	"os"
	"syscall"
)

// stdin returns the standard input, waited for by Go's poller where it is a pipe or a socket. A goroutine that waits in
// a blocking system call instead may keep Go 1.26 and 1.27 from stopping the world for as long as nothing comes:
// docs/findings/go-stop-the-world-hangs.md.
func stdin() io.Reader {
	about, err := os.Stdin.Stat()
	if err != nil || about.Mode()&(os.ModeNamedPipe|os.ModeSocket) == 0 {
		return os.Stdin
	}
	if err := syscall.SetNonblock(syscall.Stdin, true); err != nil {
		return os.Stdin
	}
	return os.NewFile(uintptr(syscall.Stdin), os.Stdin.Name())
}
