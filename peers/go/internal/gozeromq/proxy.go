package gozeromq

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-zeromq/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// The library's proxy calls Recv and Send of the two sockets on goroutines of its own, which do not come
// back from them when it is killed or its context ends: they go on to take one more message each way, and
// throw it away. So it gets sockets whose calls go through the pumps and end with the proxy. Its Pause,
// Resume and Stats do nothing (proxy.go: "TODO"), so it cannot be steered.

// Proxy implements driver.Proxier. With a PUB, the library's proxy spins: it asks it for messages again and
// again, and a PUB refuses at once.
func (l *Library) Proxy(front, back driver.Socket) driver.Proxy {
	f, isOurs := front.(*Socket)
	b, areOurs := back.(*Socket)
	if !isOurs || !areOurs || f.socketType == "PUB" || b.socketType == "PUB" {
		return nil
	}
	return &proxy{front: f, back: b, over: make(chan struct{}), late: make(chan struct{})}
}

// grace is how long a message under way when the run ends may still go out: it was taken from one side, and
// is to arrive and be counted.
const grace = time.Second

// proxy is a run of the library's proxy.
type proxy struct {
	front, back *Socket
	ctx         context.Context // the library's proxy looks at it after each Recv

	once   sync.Once
	over   chan struct{} // closed when the run is to end: nothing more is taken
	late   chan struct{} // closed when what is under way is given up
	reason error
}

// end ends the run, for the first reason given.
func (p *proxy) end(reason error) {
	p.once.Do(func() {
		p.reason = reason
		close(p.over)
		time.AfterFunc(grace, func() { close(p.late) })
	})
}

// Run implements driver.Proxy.
func (p *proxy) Run(stop <-chan struct{}) (*driver.Passed, error) {
	ctx, cancel := context.WithCancel(p.front.lease.Context)
	defer cancel()
	p.ctx = ctx
	front, back := &end{Socket: p.front.socket, own: p.front, run: p}, &end{Socket: p.back.socket, own: p.back, run: p}
	running := zmq4.NewProxy(ctx, front, back, nil)
	select {
	case <-stop:
	case <-p.over:
	case <-ctx.Done(): // the context ended under the frontend
	}
	ended := ctx.Err()
	cancel()
	p.end(ended)
	_ = running.Run() // waits for its goroutines
	return &driver.Passed{Forward: back.sent.Load(), Backward: front.sent.Load()}, p.front.report(p.reason)
}

// end is a socket as the proxy sees it: the library's, but for the calls that must end with the run.
type end struct {
	zmq4.Socket
	own  *Socket
	run  *proxy
	sent atomic.Int64
}

// Recv gives the library whatever the socket gave, errors too: its proxy takes no notice of them and sends
// on what came with them.
func (e *end) Recv() (zmq4.Msg, error) {
	var message driver.Message
	err := e.own.receiver.ReceiveUntil(time.Time{}, e.run.over, driver.Into(&message))
	e.check(err)
	select {
	case <-e.run.over:
		<-e.run.ctx.Done() // else the library would go round and round
	default:
	}
	return zmq4.NewMsgFrom(message...), err
}

// Send counts.
func (e *end) Send(m zmq4.Msg) error {
	_, err := e.own.sender.SendUntil(time.Time{}, e.run.late, "Send", driver.One(m.Frames))
	e.check(err)
	if err == nil && len(m.Frames) > 0 {
		e.sent.Add(1)
	}
	return err
}

// check ends the run when its socket is closed.
func (e *end) check(err error) {
	if errors.Is(err, driver.ErrClosed) {
		e.run.end(err)
	}
}
