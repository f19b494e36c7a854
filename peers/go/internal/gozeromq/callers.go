package gozeromq

import (
	"context"
	"errors"
	"math"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
)

// callers are clients that have a goroutine each, as a program would do it with this library.
type callers struct {
	library              *Library
	lease                *contexts.Lease[lifeline]
	socketType, endpoint string
}

// Recruit implements driver.Recruiter.
func (l *Library) Recruit(socketType, endpoint string, _ int) (driver.Callers, error) {
	lease, err := l.contexts.Take("")
	if err != nil {
		return nil, err
	}
	return &callers{l, lease, socketType, endpoint}, nil
}

// Crews implements driver.Callers.
func (c *callers) Crews() int { return math.MaxInt }

// Crew implements driver.Callers.
func (c *callers) Crew() driver.Crew { return &crew{callers: c} }

// Close implements driver.Callers.
func (c *callers) Close() error { return c.library.contexts.Release(c.lease) }

// crew is one client. The library's Recv takes no deadline: closing the socket ends it.
type crew struct {
	*callers
	timer *time.Timer

	mu     sync.Mutex
	socket zmq4.Socket
	reason *driver.Error // why it was closed
}

// Add implements driver.Crew. A Dial that does not come back is left.
func (c *crew) Add(moment time.Time) error {
	c.mu.Lock()
	if c.reason != nil {
		c.mu.Unlock()
		return c.reason
	}
	c.socket = constructors[c.socketType](c.lease.Context)
	c.mu.Unlock()
	c.timer = time.AfterFunc(time.Until(moment), func() { c.end(driver.ErrTimeout) })
	done := make(chan error, 1)
	go func() { done <- c.socket.Dial(c.endpoint) }()
	late := time.NewTimer(time.Until(moment))
	defer late.Stop()
	select {
	case err := <-done:
		c.timer.Stop()
		return c.report(err)
	case <-late.C:
	case <-c.lease.Context.Done():
	}
	return driver.ErrTimeout
}

// Send implements driver.Crew.
func (c *crew) Send(_ int, message driver.Message) error {
	return c.report(c.socket.SendMulti(zmq4.NewMsgFrom(message...)))
}

// Receive implements driver.Crew.
func (c *crew) Receive(moment time.Time, take func(int, driver.Message, error)) error {
	c.timer.Reset(time.Until(moment))
	message, err := c.socket.Recv()
	c.timer.Stop()
	take(0, message.Frames, c.report(err))
	return nil
}

// report translates an error: whatever broke when the socket was closed, that was why.
func (c *crew) report(err error) error {
	if err == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.reason != nil:
		return c.reason
	case errors.Is(err, context.DeadlineExceeded):
		return driver.ErrTimeout
	}
	return driver.Wrap(err)
}

// Interrupt implements driver.Crew.
func (c *crew) Interrupt() { c.end(driver.ErrClosed) }

// Close implements driver.Crew.
func (c *crew) Close() { c.end(driver.ErrClosed) }

func (c *crew) end(reason *driver.Error) {
	c.mu.Lock()
	first := c.reason == nil
	if first {
		c.reason = reason
	}
	c.mu.Unlock()
	if first && c.socket != nil {
		_ = c.socket.Close() // it complains when the other side was faster
	}
}
