package server

import (
	"io"
	"os"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/process"
)

// Main runs a peer for a library and ends the process.
func Main(library driver.Library) {
	os.Exit(process.Run(func(workdir string, out io.Writer) process.Server {
		return New(library, workdir, out)
	}))
}
