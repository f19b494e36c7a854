package gozeromq

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/pump"
)

// Socket implements driver.Socket.
type Socket struct {
	library    *Library
	lease      *contexts.Lease[lifeline]
	socketType string
	socket     zmq4.Socket

	control  sync.Mutex // Listen, Dial and SetOption are not safe beside each other
	closed   chan struct{}
	sender   *pump.Sender
	receiver *pump.Receiver
}

// Open implements driver.Library.
func (l *Library) Open(within, socketType string, options []driver.Option) (driver.Socket, error) {
	construct, ok := constructors[socketType]
	if !ok {
		return nil, driver.ErrUnsupported("the library has no socket type " + socketType)
	}
	var fixed construction
	var later []driver.Option
	for _, option := range options {
		taken, err := fixed.take(option)
		if err != nil {
			return nil, err
		}
		if !taken {
			later = append(later, option)
		}
	}
	lease, err := l.contexts.Take(within)
	if err != nil {
		return nil, err
	}
	s := &Socket{
		library:    l,
		lease:      lease,
		socketType: socketType,
		socket:     construct(lease.Context, fixed.options()...),
		closed:     make(chan struct{}),
	}
	s.sender = pump.NewSender(s.send)
	s.receiver = pump.NewReceiver(s.receive)
	for _, option := range later {
		if err := s.Set(option); err != nil {
			_ = s.Close()
			return nil, err
		}
	}
	return s, nil
}

// Bind implements driver.Socket.
func (s *Socket) Bind(endpoint string) (string, error) {
	err := s.interruptible(func() error { return s.socket.Listen(endpoint) })
	if err != nil {
		return "", err
	}
	if scheme, _, _ := strings.Cut(endpoint, "://"); scheme == "tcp" {
		return "tcp://" + s.socket.Addr().String(), nil
	}
	return endpoint, nil
}

// Connect implements driver.Socket. The library dials before it returns, ten times at most.
func (s *Socket) Connect(endpoint string) error {
	return s.interruptible(func() error { return s.socket.Dial(endpoint) })
}

// interruptible makes a call that only close ends early. The library's own call then ends when it does.
func (s *Socket) interruptible(call func() error) error {
	if err := s.orphaned(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() {
		s.control.Lock()
		defer s.control.Unlock()
		done <- call()
	}()
	select {
	case err := <-done:
		return s.report(err)
	case <-s.closed:
		return driver.ErrClosed
	}
}

// Send implements driver.Socket.
func (s *Socket) Send(deadline time.Time, via string, next driver.Source) (int, error) {
	if err := s.orphaned(); err != nil {
		return 0, err
	}
	return s.sender.Send(deadline, via, next)
}

// send is one blocking call of the library. Both paths carry messages of any number of frames.
func (s *Socket) send(via string, message driver.Message) error {
	m := zmq4.NewMsgFrom(message...)
	if via == "Send" {
		return s.report(s.socket.Send(m))
	}
	return s.report(s.socket.SendMulti(m))
}

// Receive implements driver.Socket.
func (s *Socket) Receive(deadline time.Time, take driver.Sink) error {
	if err := s.orphaned(); err != nil {
		return err
	}
	return s.receiver.Receive(deadline, take)
}

// orphaned is the error of a call that comes after the end of the socket's context: the contract closes the
// socket to it. What the library does then shows in the calls that were waiting.
func (s *Socket) orphaned() error {
	if err := s.lease.Context.Err(); err != nil {
		return &driver.Error{Name: driver.Closed, Text: err.Error()}
	}
	return nil
}

// receive is one blocking call of the library.
func (s *Socket) receive() (driver.Message, error) {
	m, err := s.socket.Recv()
	return driver.Message(m.Frames), s.report(err)
}

// Talk implements driver.Talker.
func (s *Socket) Talk(deadline time.Time, talk func(driver.Conversation) error) error {
	if err := s.orphaned(); err != nil {
		return err
	}
	return pump.Talk(s.sender, s.receiver, deadline, s.closed, talk)
}

// Abandon implements driver.Abandoner: the pumps let go of the socket, or will when the library's call ends.
func (s *Socket) Abandon() {
	close(s.closed)
	s.sender.Close()
	s.receiver.Close()
}

// Lend implements driver.Lender. Nothing but closing the socket ends a send that the library holds up.
func (s *Socket) Lend(_ <-chan struct{}, use func(send func(driver.Message) error) error) error {
	return use(func(message driver.Message) error { return s.send("", message) })
}

// Close implements driver.Socket.
func (s *Socket) Close() error {
	close(s.closed)
	s.sender.Close()
	s.receiver.Close()
	err := s.socket.Close()
	if ended := s.library.contexts.Release(s.lease); err == nil {
		err = ended
	}
	if err != nil {
		return driver.Wrap(err)
	}
	return nil
}

// cannot lists what the library refuses in words only.
var cannot = []string{"sockets can't send messages", "sockets can't recv messages"}

// report translates an error of the library.
func (s *Socket) report(err error) error {
	if err == nil {
		return nil
	}
	e := driver.Wrap(err)
	switch {
	case e.Name != driver.Failed:
		return e
	case s.lease.Context.Err() != nil: // whatever broke, it was the end of the context
		return &driver.Error{Name: driver.Closed, Text: e.Text}
	case errors.Is(err, context.DeadlineExceeded):
		return &driver.Error{Name: driver.Timeout, Text: e.Text}
	}
	for _, words := range cannot {
		if strings.Contains(e.Text, words) {
			return &driver.Error{Name: driver.Unsupported, Text: e.Text}
		}
	}
	return e
}
