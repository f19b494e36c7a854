//go:build !unix

package process

import (
	"io"
	"os"
)

// stdin returns the standard input.
func stdin() io.Reader { return os.Stdin }
