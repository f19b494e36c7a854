//go:build cgo

package pebbe

import (
	"encoding/binary"
	"sync"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// proxy is libzmq's steerable proxy between two sockets, which it borrows from their owners. The plain
// zmq_proxy cannot be used: nothing but the end of a context ends it.
type proxy struct {
	front, back *Socket
	bells       *bells
	ended       chan struct{} // closed when the library's call has returned

	mu     sync.Mutex // guards commander
	bell   *bell      // its rope commands, its clapper is the proxy's control socket
	passed *driver.Passed
}

// steerable tells whether this libzmq has zmq_proxy_steerable: 4.3.5 has the function and no proxy in it.
var steerable = sync.OnceValue(func() bool {
	var spare bells
	defer func() {
		if spare.context != nil {
			_ = spare.context.Term()
		}
	}()
	control, err := spare.make()
	if err != nil {
		return false
	}
	defer control.close()
	ends, err := spare.make()
	if err != nil {
		return false
	}
	defer ends.close()
	_, _ = control.rope.Send(driver.Terminate, 0)
	return zmq.ProxySteerable(ends.rope, ends.clapper, nil, control.clapper) == nil
})

// Proxy implements driver.Proxier.
func (l *Library) Proxy(front, back driver.Socket) driver.Proxy {
	f, isOurs := front.(*Socket)
	b, areOurs := back.(*Socket)
	if !isOurs || !areOurs || !steerable() {
		return nil
	}
	return &proxy{front: f, back: b, bells: &l.bells, ended: make(chan struct{})}
}

// Run implements driver.Proxy. The library's call runs on the goroutine that owns the backend.
func (p *proxy) Run(stop <-chan struct{}) (*driver.Passed, error) {
	if err := p.open(); err != nil {
		return nil, report(err)
	}
	var err error
	go func() {
		defer close(p.ended)
		err = p.front.borrow(func(front *zmq.Socket) error {
			return p.back.borrow(func(back *zmq.Socket) error {
				return report(zmq.ProxySteerable(front, back, nil, p.bell.clapper))
			})
		})
	}()
	select {
	case <-stop:
	case <-p.front.leaving:
	case <-p.back.leaving:
	case <-p.ended:
	}
	_ = p.Steer(driver.Terminate)
	<-p.ended
	p.mu.Lock()
	defer p.mu.Unlock()
	p.bell.close()
	p.bell = nil
	return p.passed, err
}

func (p *proxy) open() (err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bell, err = p.bells.make(); err == nil {
		err = p.bell.rope.SetRcvtimeo(slice)
	}
	return err
}

// Steer implements driver.Steerable.
func (p *proxy) Steer(command string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	over := &driver.Error{Name: driver.State, Text: "the proxy has ended"}
	if p.bell == nil || p.over() {
		return over
	}
	if command == driver.Terminate {
		// Nothing passes between the count and the end.
		p.order(driver.Pause)
		passed := p.count()
		p.order(driver.Terminate)
		if passed == nil {
			return over
		}
		p.passed = passed
		<-p.ended
		return nil
	}
	p.order(command)
	if p.count() == nil { // its answer says that the command before it has been read
		return over
	}
	return nil
}

func (p *proxy) over() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

func (p *proxy) order(command string) { _, _ = p.bell.rope.Send(command, zmq.DONTWAIT) }

// count asks the proxy for its statistics: messages and bytes that the frontend received and sent, then
// the same of the backend, eight numbers of 64 bits. It gives nil if the proxy ends before it answers.
func (p *proxy) count() *driver.Passed {
	p.order("STATISTICS")
	for !p.over() {
		numbers, err := p.bell.rope.RecvMessageBytes(0)
		if again(err) {
			continue
		}
		if err != nil || len(numbers) != 8 || len(numbers[2]) != 8 || len(numbers[6]) != 8 {
			return nil
		}
		return &driver.Passed{
			Forward:  int64(binary.NativeEndian.Uint64(numbers[6])),
			Backward: int64(binary.NativeEndian.Uint64(numbers[2])),
		}
	}
	return nil
}
