//go:build cgo

package pebbe

import (
	"sync"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// home is a context of libzmq and its end. The binding has no zmq_ctx_shutdown, only Term, which ends the
// sockets' calls at once and then waits until they are all closed.
type home struct {
	context *zmq.Context

	mu    sync.Mutex
	used  bool          // it has, or had, a socket
	ended bool          // Term has been called, or is about to be
	gone  chan struct{} // closed when Term has returned
	err   error         // Term's
}

func begin() (*home, error) {
	context, err := zmq.NewContext()
	if err != nil {
		return nil, err
	}
	return &home{context: context, gone: make(chan struct{})}, nil
}

// socket makes a socket. The lock keeps it apart from Term, which the binding does not.
func (h *home) socket(kind zmq.Type) (*zmq.Socket, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return nil, &driver.Error{Name: driver.Closed, Text: "the context has ended"}
	}
	h.used = true
	return h.context.NewSocket(kind)
}

// claim reports whether the caller is the one to call Term.
func (h *home) claim() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	mine := !h.ended
	h.ended = true
	return mine
}

func (h *home) term() {
	h.err = h.context.Term()
	close(h.gone)
}

// shut ends the context under its sockets, without waiting for them.
func (h *home) shut() {
	if h.claim() {
		go h.term()
	}
}

// end ends the context and waits until its sockets are closed.
func (h *home) end() error {
	if h.claim() {
		h.term()
	}
	<-h.gone
	return h.err
}

// isEnded tells whether the context ends or has ended.
func (h *home) isEnded() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// Terminate implements driver.Terminator. A socket of our own tells when the library has begun: it is the
// last one that libzmq tells of the end.
func (l *Library) Terminate(context string) error {
	lease, ok := l.contexts.Find(context)
	if !ok {
		return driver.ErrInvalid("there is no context " + context)
	}
	sentinel, err := lease.Context.socket(zmq.PAIR)
	lease.Context.shut()
	if err != nil {
		return nil // it has ended before, or has no room for one more socket
	}
	_, _ = sentinel.RecvBytes(0)
	return report(sentinel.Close())
}
