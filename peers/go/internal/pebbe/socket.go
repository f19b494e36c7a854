//go:build cgo

package pebbe

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
)

// Socket implements driver.Socket. Its calls put work on the desk below; the owner (owner.go), one
// goroutine, does it.
type Socket struct {
	library   *Library
	lease     *contexts.Lease[*home]
	closing   atomic.Bool
	abandoned atomic.Bool   // closing does not close the library's socket
	leaving   chan struct{} // closed as closing is set
	monitor   atomic.Pointer[monitor]
	blocked   atomic.Bool // the owner is in a blocking call of the library, which no bell ends
	ended     chan struct{}

	mu      sync.Mutex // guards the desk and waiting
	waiting bool       // the owner waits in poll; whoever sets this to false must ring
	desk
	knock chan struct{} // wakes an owner without any work

	// The owner's own. Nobody else touches these.
	socket *zmq.Socket
	poller *zmq.Poller
	bell   *bell
	ready  zmq.State // what the last poll promised and no call has kept yet
}

// desk is the work that waits for the owner.
type desk struct {
	errands []func() // short calls
	sending *sending
	taking  *taking
	talking *talking
}

// differs tells whether there is other work than there was then, when the errands were done.
func (d *desk) differs(then desk) bool {
	return len(d.errands) > 0 || d.sending != then.sending || d.taking != then.taking || d.talking != then.talking
}

// sending is a Send in progress.
type sending struct {
	next     driver.Source
	deadline time.Time
	begun    time.Time      // when the owner first looked at it
	frames   bool           // frame by frame, not the whole message in one call
	message  driver.Message // given by next and not sent yet
	limit    time.Time      // of this message, see Socket.limit
	sent     int
	done     chan error
}

// taking is a Receive in progress.
type taking struct {
	take     driver.Sink
	deadline time.Time
	begun    time.Time // when the owner first looked at it
	waiting  bool      // for a message
	limit    time.Time // of this message, see Socket.limit
	done     chan error
}

// talking is a Talk in progress.
type talking struct {
	talk     func(driver.Conversation) error
	deadline time.Time
	done     chan error
}

func newSending(deadline time.Time, frames bool, next driver.Source) *sending {
	return &sending{next: next, deadline: deadline, frames: frames, done: make(chan error, 1)}
}

func newTaking(deadline time.Time, take driver.Sink) *taking {
	return &taking{take: take, deadline: deadline, done: make(chan error, 1)}
}

// Open implements driver.Library.
func (l *Library) Open(context, socketType string, wanted []driver.Option) (driver.Socket, error) {
	kind, ok := types[socketType]
	if !ok {
		return nil, driver.ErrUnsupported("the library has no socket type " + socketType)
	}
	lease, err := l.contexts.Take(context)
	if err != nil {
		return nil, report(err)
	}
	s := &Socket{
		library: l, lease: lease,
		leaving: make(chan struct{}), ended: make(chan struct{}), knock: make(chan struct{}, 1),
	}
	if err := s.begin(kind, wanted); err != nil {
		_ = l.contexts.Release(lease)
		return nil, report(err)
	}
	go s.own()
	return s, nil
}

// begin makes the library's socket and sets its options.
func (s *Socket) begin(kind zmq.Type, wanted []driver.Option) (err error) {
	if s.bell, err = s.library.bells.take(); err != nil {
		return err
	}
	defer func() {
		if err != nil {
			s.library.bells.give(s.bell)
		}
	}()
	if s.socket, err = s.lease.Context.socket(kind); err != nil {
		return err
	}
	err = s.socket.SetLinger(0)
	for i := 0; err == nil && i < len(wanted); i++ {
		err = setOption(s.socket, wanted[i])
	}
	if err != nil {
		_ = s.socket.Close()
		return err
	}
	s.poller = zmq.NewPoller()
	s.poller.Add(s.socket, 0)
	s.poller.Add(s.bell.clapper, zmq.POLLIN)
	return nil
}

// Send implements driver.Socket.
func (s *Socket) Send(deadline time.Time, via string, next driver.Source) (int, error) {
	work := newSending(deadline, via == "SendBytes", next)
	s.post(func() { s.sending = work })
	err := await(s, work.done)
	return work.sent, err
}

// Receive implements driver.Socket.
func (s *Socket) Receive(deadline time.Time, take driver.Sink) error {
	work := newTaking(deadline, take)
	s.post(func() { s.taking = work })
	return await(s, work.done)
}

// Talk implements driver.Talker: the owner itself runs the talk.
func (s *Socket) Talk(deadline time.Time, talk func(driver.Conversation) error) error {
	work := &talking{talk: talk, deadline: deadline, done: make(chan error, 1)}
	s.post(func() { s.talking = work })
	return await(s, work.done)
}

// errand has the owner make a short call.
func errand[T any](s *Socket, call func() (T, error)) (value T, err error) {
	done := make(chan error, 1)
	s.post(func() {
		s.errands = append(s.errands, func() {
			var failed error
			s.notice()
			value, failed = call()
			done <- report(failed)
		})
	})
	err = await(s, done)
	return value, err
}

// notice has libzmq see that its context has ended, which its other calls do sooner or later.
func (s *Socket) notice() {
	if s.lease.Context.isEnded() {
		_, _ = s.socket.GetEvents()
	}
}

// post changes the desk and sees to it that the owner looks at it.
func (s *Socket) post(change func()) {
	s.mu.Lock()
	change()
	ring := s.waiting
	s.waiting = false
	s.mu.Unlock()
	if ring {
		s.bell.ring()
		return
	}
	select {
	case s.knock <- struct{}{}:
	default: // a knock is waiting already
	}
}

// await waits for an answer of the owner, who leaves without one when the socket closes.
func await(s *Socket, done chan error) error {
	select {
	case err := <-done:
		return err
	case <-s.ended:
	}
	select {
	case err := <-done:
		return err
	default:
		return driver.ErrClosed
	}
}

// none is the result of an errand without one.
type none = struct{}

func errandOnly(s *Socket, call func() error) error {
	_, err := errand(s, func() (none, error) { return none{}, call() })
	return err
}

// Bind implements driver.Socket.
func (s *Socket) Bind(endpoint string) (string, error) {
	return errand(s, func() (string, error) {
		if err := s.allowIPv6(endpoint); err != nil {
			return "", err
		}
		if err := s.socket.Bind(endpoint); err != nil {
			return "", endpointError(err)
		}
		return s.socket.GetLastEndpoint()
	})
}

// Connect implements driver.Socket.
func (s *Socket) Connect(endpoint string) error {
	return errandOnly(s, func() error {
		if err := s.allowIPv6(endpoint); err != nil {
			return err
		}
		return endpointError(s.socket.Connect(endpoint))
	})
}

// allowIPv6 sets what libzmq needs before it understands an address in brackets.
func (s *Socket) allowIPv6(endpoint string) error {
	if strings.Contains(endpoint, "://[") {
		return s.socket.SetIpv6(true)
	}
	return nil
}

// Unbind implements driver.Unbinder.
func (s *Socket) Unbind(endpoint string) error {
	return errandOnly(s, func() error { return s.socket.Unbind(endpoint) })
}

// Disconnect implements driver.Disconnecter.
func (s *Socket) Disconnect(endpoint string) error {
	return errandOnly(s, func() error { return s.socket.Disconnect(endpoint) })
}

// Set implements driver.Socket.
func (s *Socket) Set(option driver.Option) error {
	return errandOnly(s, func() error { return setOption(s.socket, option) })
}

// Get implements driver.Socket.
func (s *Socket) Get(name string) (driver.Value, error) {
	return errand(s, func() (driver.Value, error) { return getOption(s.socket, name) })
}

// Abandon implements driver.Abandoner: the owner lets go of the library's socket. The binding closes sockets that
// nobody refers to when the garbage collector finds them.
func (s *Socket) Abandon() {
	s.abandoned.Store(true)
	s.closing.Store(true)
	close(s.leaving)
	s.post(func() {})
}

// Close implements driver.Socket. Only the end of its context interrupts a blocking call of libzmq; the
// owner makes one only if the context is the socket's own.
func (s *Socket) Close() error {
	s.closing.Store(true)
	close(s.leaving)
	s.post(func() {})
	if s.blocked.Load() {
		s.lease.Context.shut()
	}
	<-s.ended
	return report(s.library.contexts.Release(s.lease))
}
