//go:build cgo

package pebbe

import (
	"errors"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// tunings are the options of a context.
var tunings = map[string]func(*zmq.Context, int) error{
	"IO_THREADS":  (*zmq.Context).SetIoThreads,
	"MAX_SOCKETS": (*zmq.Context).SetMaxSockets,
}

// Tune implements driver.Tuner. libzmq takes no notice of options that come after the first socket.
func (l *Library) Tune(context string, options []driver.Option) error {
	for _, option := range options {
		switch {
		case tunings[option.Name] == nil:
			return driver.ErrUnsupported("the library's contexts have no option " + option.Name)
		case option.Value.Bytes != nil:
			return driver.ErrInvalid(option.Name + " is an integer")
		}
	}
	lease, err := l.contexts.Begin(context)
	if err != nil {
		return report(err)
	}
	if err := lease.Context.tune(options); err != nil {
		return errors.Join(err, report(l.contexts.Drop(lease)))
	}
	return nil
}

func (h *home) tune(options []driver.Option) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.used {
		return &driver.Error{Name: driver.State, Text: "the context has had sockets"}
	}
	for _, option := range options {
		if err := tunings[option.Name](h.context, int(option.Value.Integer)); err != nil {
			return endpointError(err)
		}
	}
	return nil
}
