package pump

import (
	"sync/atomic"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Talk runs a talk whose goroutines make the library's calls themselves, so that no message changes hands.
// At the deadline, or when closed is, it leaves the talk to the call that it waits in. What that call still
// brings belongs to the next Receive.
func Talk(
	sender *Sender, receiver *Receiver, deadline time.Time, closed <-chan struct{}, talk func(driver.Conversation) error,
) error {
	var over atomic.Bool
	done := make(chan error, 1)
	go func() {
		done <- talk(driver.Conversation{
			Send:    func(message driver.Message) error { return sender.direct(&over, message) },
			Receive: func() (driver.Message, error) { return receiver.direct(&over) },
		})
	}()
	expired, stop := timer(deadline)
	defer stop()
	var err error
	select {
	case err := <-done:
		return err
	case <-expired:
		err = driver.ErrTimeout
	case <-closed:
		err = driver.ErrClosed
	}
	sender.leave(&over)
	receiver.leave(&over)
	return err
}

// leave ends a talk under its calls.
func (s *Sender) leave(over *atomic.Bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	over.Store(true)
	s.wanted.Broadcast()
}

func (r *Receiver) leave(over *atomic.Bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	over.Store(true)
	r.wanted.Broadcast()
}

// direct sends on the caller's goroutine, after any call of the library that still goes on.
func (s *Sender) direct(over *atomic.Bool, message driver.Message) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.calling && !s.closed && !over.Load() {
		s.wanted.Wait()
	}
	if err := ended(s.closed, over); err != nil {
		return err
	}
	err := s.make("", message)
	if over.Load() {
		return driver.ErrTimeout
	}
	return err
}

// direct receives on the caller's goroutine, after any call of the library that still goes on.
func (r *Receiver) direct(over *atomic.Bool) (driver.Message, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.calling && len(r.kept) == 0 && !r.closed && !over.Load() {
		r.wanted.Wait()
	}
	if err := ended(r.closed, over); err != nil {
		return nil, err
	}
	if len(r.kept) > 0 {
		came := r.kept[0]
		r.kept = r.kept[1:]
		return came.message, came.err
	}
	came := r.make()
	if over.Load() {
		r.kept = append(r.kept, came)
		return nil, driver.ErrTimeout
	}
	return came.message, came.err
}

func ended(closed bool, over *atomic.Bool) error {
	switch {
	case closed:
		return driver.ErrClosed
	case over.Load():
		return driver.ErrTimeout
	}
	return nil
}
