package workload

import (
	"errors"
	"slices"
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Loop is a proxy for libraries whose own cannot be used. It takes no commands.
type Loop struct {
	Front, Back Socket
	Deadline    time.Time // of its sends
}

// One-way socket types. A proxy leaves out a direction that one of its ends cannot take part in.
var (
	cannotReceive = []string{"PUB", "PUSH"}
	cannotSend    = []string{"SUB", "PULL"}
)

// glance is how long a direction waits before it looks whether it has to stop.
const glance = 20 * time.Millisecond

// Run implements driver.Proxy.
func (l Loop) Run(stop <-chan struct{}) (*driver.Passed, error) {
	var both sync.WaitGroup
	var done driver.Passed
	halt := make(chan struct{})
	ends := make(chan error, 2)
	start := func(from, to Socket, passed *int64) {
		if slices.Contains(cannotReceive, from.Type) || slices.Contains(cannotSend, to.Type) {
			return
		}
		both.Add(1)
		go func() {
			defer both.Done()
			ends <- pass(from, to, l.Deadline, halt, passed)
		}()
	}
	start(l.Front, l.Back, &done.Forward)
	start(l.Back, l.Front, &done.Backward)
	var err error
	select {
	case err = <-ends:
	case <-stop:
	}
	close(halt)
	both.Wait()
	return &done, err
}

// pass passes messages one way until it is told to stop or an end fails.
func pass(from, to Socket, deadline time.Time, stop <-chan struct{}, passed *int64) error {
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		message, err := receiveOne(from, time.Now().Add(glance))
		if errors.Is(err, driver.ErrTimeout) {
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
