//go:build cgo

package pebbe

import (
	"fmt"
	"sync/atomic"
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
)

// callers are clients in crews, each of which polls its sockets on one goroutine: a blocking call of every one
// would take a thread of its own.
type callers struct {
	library  *Library
	lease    *contexts.Lease[*home]
	kind     zmq.Type
	endpoint string
}

// maxCrews is the number of threads that may block.
const maxCrews = 64

// What a client needs of the file descriptors: a mailbox and a connection. The rest is for all else.
const (
	descriptorsEach = 2
	descriptorsElse = 100
)

// Recruit implements driver.Recruiter.
func (l *Library) Recruit(socketType, endpoint string, clients int) (driver.Callers, error) {
	if needs, limit := clients*descriptorsEach+descriptorsElse, descriptors(); limit >= 0 && needs > limit {
		text := fmt.Sprintf("%d clients need %d file descriptors, and the limit is %d", clients, needs, limit)
		return nil, &driver.Error{Name: driver.Failed, Text: text}
	}
	lease, err := l.contexts.Take("")
	if err != nil {
		return nil, report(err)
	}
	if err := lease.Context.context.SetMaxSockets(clients + 1); err != nil {
		_ = l.contexts.Release(lease)
		return nil, report(err)
	}
	return &callers{l, lease, types[socketType], endpoint}, nil
}

// Crews implements driver.Callers.
func (c *callers) Crews() int { return maxCrews }

// Crew implements driver.Callers.
func (c *callers) Crew() driver.Crew { return &crew{callers: c, poller: zmq.NewPoller()} }

// Close implements driver.Callers.
func (c *callers) Close() error { return report(c.library.contexts.Release(c.lease)) }

// crew is some clients.
type crew struct {
	*callers
	sockets     []*zmq.Socket // nil where it could not be made
	numbers     []int         // of the poller's items
	poller      *zmq.Poller
	interrupted atomic.Bool
}

// Add implements driver.Crew.
func (c *crew) Add(time.Time) error {
	c.sockets = append(c.sockets, nil)
	socket, err := c.lease.Context.socket(c.kind)
	if err != nil {
		return report(err)
	}
	if err = socket.SetLinger(0); err == nil {
		err = socket.Connect(c.endpoint)
	}
	if err != nil {
		_ = socket.Close()
		return report(endpointError(err))
	}
	number := len(c.sockets) - 1
	c.sockets[number] = socket
	c.numbers = append(c.numbers, number)
	c.poller.Add(socket, zmq.POLLIN)
	return nil
}

// Send implements driver.Crew. A queue with room for one request takes it at once.
func (c *crew) Send(client int, message driver.Message) error {
	_, err := c.sockets[client].SendMessageDontwait([][]byte(message))
	return report(err)
}

// Receive implements driver.Crew.
func (c *crew) Receive(moment time.Time, take func(int, driver.Message, error)) error {
	if c.interrupted.Load() {
		return driver.ErrClosed
	}
	wait := min(max(0, time.Until(moment)+time.Millisecond-1), glance)
	polled, err := c.poller.PollAll(wait)
	if err != nil {
		return report(err)
	}
	for item, found := range polled {
		if found.Events&zmq.POLLIN == 0 {
			continue
		}
		message, err := found.Socket.RecvMessageBytes(zmq.DONTWAIT)
		if !again(err) {
			take(c.numbers[item], message, report(err))
		}
	}
	return nil
}

// Interrupt implements driver.Crew.
func (c *crew) Interrupt() { c.interrupted.Store(true) }

// Close implements driver.Crew.
func (c *crew) Close() {
	for _, socket := range c.sockets {
		if socket != nil {
			_ = socket.Close()
		}
	}
}
