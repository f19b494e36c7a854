package pump

import (
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Sender pumps messages into a library. A send that is still going on at the deadline is reported as a
// timeout; the message may go out later, and later calls wait for it.
type Sender struct {
	send func(via string, message driver.Message) error

	mu      sync.Mutex
	wanted  sync.Cond
	running bool
	calling bool // in the library
	closed  bool
	call    *sending
}

type sending struct {
	via  string
	next driver.Source
	sent int
	done chan error
}

// ErrLate is the timeout of a library whose sends cannot be called off.
var ErrLate = &driver.Error{
	Name: driver.Timeout,
	Text: "the library's send did not return in time; the message may still go out",
}

// NewSender makes a pump around a library's blocking send.
func NewSender(send func(via string, message driver.Message) error) *Sender {
	s := &Sender{send: send}
	s.wanted.L = &s.mu
	return s
}

// Send implements driver.Socket.
func (s *Sender) Send(deadline time.Time, via string, next driver.Source) (sent int, err error) {
	return s.SendUntil(deadline, nil, via, next)
}

// SendUntil is a Send that also ends when stop closes, as if the time were up.
func (s *Sender) SendUntil(
	deadline time.Time, stop <-chan struct{}, via string, next driver.Source,
) (sent int, err error) {
	start := time.Now()
	defer func() { err = driver.After(time.Since(start), err) }()
	call := &sending{via: via, next: next, done: make(chan error, 1)}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return 0, driver.ErrClosed
	}
	s.call = call
	if !s.running {
		s.running = true
		go s.run()
	}
	s.wanted.Broadcast()
	s.mu.Unlock()

	expired, over := timer(deadline)
	defer over()
	select {
	case err := <-call.done:
		return call.sent, err
	case <-expired:
	case <-stop:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.call == call {
		s.call = nil
		return call.sent, ErrLate
	}
	return call.sent, <-call.done
}

// Close lets the waiting call go with a Closed error. The goroutine ends when the library's call does.
func (s *Sender) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.finish(driver.ErrClosed)
	s.wanted.Broadcast()
}

func (s *Sender) run() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		for (s.call == nil || s.calling) && !s.closed {
			s.wanted.Wait()
		}
		if s.closed {
			return
		}
		call := s.call
		message, ok := call.next()
		if !ok {
			s.finish(nil)
			continue
		}
		err := s.make(call.via, message)
		switch {
		case s.call != call: // called off: nobody asks how it went
		case err != nil:
			s.finish(err)
		default:
			call.sent++
		}
	}
}

// make makes one call of the library. The caller holds the lock, which is free meanwhile.
func (s *Sender) make(via string, message driver.Message) error {
	s.calling = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.calling = false
		s.wanted.Broadcast()
	}()
	return s.send(via, message)
}

// finish answers the waiting call. The caller holds the lock.
func (s *Sender) finish(err error) {
	if s.call != nil {
		s.call.done <- err
		s.call = nil
	}
}
