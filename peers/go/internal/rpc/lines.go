// Package rpc is the transport of the contract (section 1): JSON-RPC 2.0, one object a line. It knows
// nothing of ZeroMQ.
package rpc

import (
	"bufio"
	"errors"
	"io"
)

// MaxLine is the largest number of bytes in a line before its LF.
const MaxLine = 1 << 20

// ErrTooLong means that a line was too long and has been discarded; the next one can be read.
var ErrTooLong = errors.New("the line is longer than 1048576 bytes")

// Lines reads lines of limited length.
type Lines struct{ reader *bufio.Reader }

// NewLines reads lines from reader.
func NewLines(reader io.Reader) *Lines {
	return &Lines{bufio.NewReaderSize(reader, 64<<10)}
}

// Next returns the next line that is not empty, without its LF and a CR before it. Bytes after the last
// LF are no line. The line is valid until the next call.
func (l *Lines) Next() ([]byte, error) {
	for {
		line, err := l.next()
		if err != nil {
			return nil, err
		}
		if n := len(line); n > 0 && line[n-1] == '\r' {
			line = line[:n-1]
		}
		if len(line) > 0 {
			return line, nil
		}
	}
}

func (l *Lines) next() ([]byte, error) {
	chunk, err := l.reader.ReadSlice('\n')
	if err == nil { // the usual case: the line fits the buffer
		return chunk[:len(chunk)-1], nil
	}
	var line []byte
	long := false
	for errors.Is(err, bufio.ErrBufferFull) {
		if long = long || len(line)+len(chunk) > MaxLine; !long {
			line = append(line, chunk...)
		}
		chunk, err = l.reader.ReadSlice('\n')
	}
	if err != nil {
		return nil, err
	}
	if long || len(line)+len(chunk)-1 > MaxLine {
		return nil, ErrTooLong
	}
	return append(line, chunk[:len(chunk)-1]...), nil
}
