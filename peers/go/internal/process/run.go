// Package process is what surrounds the server: the working directory, the ways to be told to quit, and
// the watchdog that keeps the promise to be gone in time.
package process

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// patience is how long sockets and contexts may take to close. The contract allows 5 s in all;
// the rest is for a busy machine.
const patience = 3 * time.Second

// Server is what runs in the process.
type Server interface {
	Serve(in io.Reader)      // returns at the end of in or on quit
	Broken() <-chan struct{} // closed when nobody reads the responses
	Close()                  // may hang if the library does
}

// Run runs a server until it is told to quit, by quit, the end of stdin, a signal or a broken stdout,
// and returns the exit code.
func Run(begin func(workdir string, out io.Writer) Server) int {
	signal.Ignore(syscall.SIGPIPE) // a broken stdout is an error of the write, not a death
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)

	workdir, err := os.MkdirTemp(os.TempDir(), fmt.Sprintf("zmq-interop-%d-*", os.Getpid()))
	if err != nil {
		fmt.Fprintln(os.Stderr, "no working directory:", err)
		return 1
	}
	server := begin(workdir, os.Stdout)

	served := make(chan struct{})
	go func() {
		defer close(served)
		server.Serve(stdin())
	}()
	select {
	case <-served:
	case <-signals:
	case <-server.Broken():
	}

	closed := make(chan struct{})
	go func() {
		defer close(closed)
		server.Close()
	}()
	select {
	case <-closed:
	case <-time.After(patience):
		fmt.Fprintln(os.Stderr, "the library did not close in", patience, "- leaving anyway")
	}
	if err := os.RemoveAll(workdir); err != nil {
		fmt.Fprintln(os.Stderr, "the working directory stays:", err)
	}
	return 0
}
