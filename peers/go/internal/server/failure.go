package server

import (
	"errors"
	"maps"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/rpc"
)

// partial is an error of a call that had come some way: evidence is never lost with an error.
type partial struct {
	error
	evidence map[string]any
}

// Unwrap gives the error itself.
func (p *partial) Unwrap() error { return p.error }

// failure translates an error into the contract's terms (section 3).
func failure(err error) *rpc.Error {
	var ready *rpc.Error
	if errors.As(err, &ready) {
		return ready
	}
	e := driver.Wrap(err)
	answer := &rpc.Error{
		Code: rpc.CodeFailed, Message: e.Text,
		Data: map[string]any{"name": e.Name, "text": e.Text},
	}
	if e.Name == driver.Invalid {
		answer.Code = rpc.CodeParams
	}
	if e.Errno != 0 {
		answer.Data["errno"] = e.Errno
	}
	var p *partial
	if errors.As(err, &p) {
		maps.Copy(answer.Data, p.evidence)
	}
	return answer
}
