package workload

import (
	"errors"
	"slices"
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Passed is the result of Proxy: the messages from the socket to the backend, and back.
type Passed struct {
	Forward  int64 `json:"forward"`
	Backward int64 `json:"backward"`
}

// One-way socket types. A proxy leaves out a direction that one of its ends cannot take part in.
var (
	cannotReceive = []string{"PUB", "PUSH"}
	cannotSend    = []string{"SUB", "PULL"}
)

// glance is how long one direction waits before it looks whether the other end has closed.
const glance = 20 * time.Millisecond

// Proxy passes messages between two sockets, both ways, until either is closed.
func Proxy(front, back Socket, deadline time.Time) (done Passed, err error) {
	var both sync.WaitGroup
	stop := make(chan struct{})
	ends := make(chan error, 2)
	start := func(from, to Socket, passed *int64) {
		if slices.Contains(cannotReceive, from.Type) || slices.Contains(cannotSend, to.Type) {
			return
		}
		both.Add(1)
		go func() {
			defer both.Done()
			ends <- pass(from, to, deadline, stop, passed)
		}()
	}
	start(front, back, &done.Forward)
	start(back, front, &done.Backward)

	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case err = <-ends:
	case <-front.Closed:
	case <-back.Closed:
	case <-timer.C:
		err = driver.ErrTimeout
	}
	close(stop)
	both.Wait()
	if errors.Is(err, driver.ErrClosed) {
		err = nil // the usual end
	}
	return done, err
}

// pass passes messages one way until it is told to stop or an end fails.
func pass(from, to Socket, deadline time.Time, stop <-chan struct{}, passed *int64) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		soon := time.Now().Add(glance)
		message, err := receiveOne(from, soon)
		if errors.Is(err, driver.ErrTimeout) && soon.Before(deadline) {
			continue
		}
		if err != nil {
			return err
		}
		if err := sendOne(to, deadline, message); err != nil {
			return err
		}
		*passed++
	}
}
