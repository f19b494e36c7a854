// Package pump drives a library whose calls block and take no deadline. Each pump makes the calls of
// one direction on a goroutine of its own, one at a time, so that a caller can leave at its deadline
// while the library's call goes on. A panic of the library ends the process, as it ends an application.
package pump

import (
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// grace stands for "do not wait" with libraries that cannot try: a message that has already arrived
// still takes a goroutine switch or two to come out of a blocking call.
const grace = 2 * time.Millisecond

// Receiver pumps messages out of a library. A message that comes too late for the call that wanted it
// is kept for the next one, and so is an error.
type Receiver struct {
	receive func() (driver.Message, error)

	mu      sync.Mutex
	wanted  sync.Cond
	running bool
	calling bool // in the library
	closed  bool
	call    *receiving // the call that waits now, or nil
	kept    []result   // came when no call was waiting
}

type result struct {
	message driver.Message
	err     error
}

type receiving struct {
	take driver.Sink
	done chan error
}

// NewReceiver makes a pump around a library's blocking receive.
func NewReceiver(receive func() (driver.Message, error)) *Receiver {
	r := &Receiver{receive: receive}
	r.wanted.L = &r.mu
	return r
}

// Receive implements driver.Socket.
func (r *Receiver) Receive(deadline time.Time, take driver.Sink) error {
	return r.ReceiveUntil(deadline, nil, take)
}

// ReceiveUntil is a Receive that also ends when stop closes, as if the time were up.
func (r *Receiver) ReceiveUntil(deadline time.Time, stop <-chan struct{}, take driver.Sink) (err error) {
	start := time.Now()
	defer func() { err = driver.After(time.Since(start), err) }()
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		return driver.ErrClosed
	}
	for len(r.kept) > 0 {
		came := r.kept[0]
		r.kept = r.kept[1:]
		if came.err != nil || !take(came.message) {
			r.mu.Unlock()
			return came.err
		}
	}
	call := &receiving{take: take, done: make(chan error, 1)}
	r.call = call
	if !r.running {
		r.running = true
		go r.run()
	}
	r.wanted.Broadcast()
	r.mu.Unlock()

	expired, over := timer(deadline)
	defer over()
	select {
	case err := <-call.done:
		return err
	case <-expired:
	case <-stop:
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.call == call { // else the result came in this very moment
		r.call = nil
		return driver.ErrTimeout
	}
	return <-call.done
}

// Close lets the waiting call go with a Closed error. The goroutine ends when the library's call does.
func (r *Receiver) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	r.finish(driver.ErrClosed)
	r.wanted.Broadcast()
}

func (r *Receiver) run() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		for (r.call == nil || r.calling) && !r.closed {
			r.wanted.Wait()
		}
		if r.closed {
			return
		}
		var came result
		if len(r.kept) > 0 { // a talk left it
			came, r.kept = r.kept[0], r.kept[1:]
		} else {
			came = r.make()
		}
		switch {
		case r.closed:
			return
		case r.call == nil:
			r.kept = append(r.kept, came)
		case came.err != nil:
			r.finish(came.err)
		case !r.call.take(came.message):
			r.finish(nil)
		}
	}
}

// make makes one call of the library. The caller holds the lock, which is free meanwhile.
func (r *Receiver) make() (came result) {
	r.calling = true
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		r.calling = false
		r.wanted.Broadcast()
	}()
	came.message, came.err = r.receive()
	return came
}

// finish answers the waiting call. The caller holds the lock.
func (r *Receiver) finish(err error) {
	if r.call != nil {
		r.call.done <- err
		r.call = nil
	}
}

// timer gives a channel that fires at the deadline, never for a zero one.
func timer(deadline time.Time) (expired <-chan time.Time, stop func()) {
	if deadline.IsZero() {
		return nil, func() {}
	}
	t := time.NewTimer(max(time.Until(deadline), grace))
	return t.C, func() { t.Stop() }
}
