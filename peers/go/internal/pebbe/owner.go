//go:build cgo

package pebbe

import (
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// burst is how many messages go one way before the owner looks at the other way and at its errands.
const burst = 64

// own is the life of the socket's owner: it does the work on the desk until the socket closes.
func (s *Socket) own() {
	defer close(s.ended)
	for !s.closing.Load() {
		s.step()
	}
	if !s.abandoned.Load() {
		s.unmonitor()
		_ = s.socket.Close()
	}
	s.library.bells.give(s.bell)
}

// step does what can be done, and waits if that was nothing.
func (s *Socket) step() {
	s.mu.Lock()
	now := s.desk
	s.errands = nil
	s.mu.Unlock()

	for _, errand := range now.errands {
		errand()
	}
	var sent, taken bool
	if now.sending != nil {
		sent = s.send(now.sending)
	}
	if now.taking != nil {
		taken = s.receive(now.taking)
	}
	switch {
	case len(now.errands) > 0 || sent || taken:
		s.ready = 0
	case now.talking != nil:
		s.talk(now.talking)
	case now.sending == nil && now.taking == nil:
		<-s.knock // an idle socket is one that its application has left alone
	default:
		s.poll(now)
	}
}

// finishSend and finishTake clear the desk and then answer.
func (s *Socket) finishSend(work *sending, err error) {
	s.mu.Lock()
	s.sending = nil
	s.mu.Unlock()
	work.done <- driver.After(time.Since(work.begun), s.final(err))
}

func (s *Socket) finishTake(work *taking, err error) {
	s.mu.Lock()
	s.taking = nil
	s.mu.Unlock()
	work.done <- driver.After(time.Since(work.begun), s.final(err))
}

// final gives the error of a call: whatever broke while the socket closed, it was the closing.
func (s *Socket) final(err error) error {
	if err != nil && s.closing.Load() {
		return driver.ErrClosed
	}
	return report(err)
}

// limit is until when a message may take. A call without a deadline that cannot block, because others
// share the context whose end would free it, follows the socket's own timeout option instead.
func (s *Socket) limit(deadline time.Time, option func(*zmq.Socket) (time.Duration, error)) time.Time {
	if deadline.IsZero() && !s.blocks(deadline) {
		if timeout, err := option(s.socket); err == nil && timeout >= 0 {
			return time.Now().Add(timeout)
		}
	}
	return deadline
}

// send sends what can be sent now, up to a burst, and reports whether there was any.
func (s *Socket) send(work *sending) (progress bool) {
	if work.begun.IsZero() {
		s.notice()
		work.begun = time.Now()
	}
	for range burst {
		if work.message == nil {
			message, ok := work.next()
			if !ok {
				s.finishSend(work, nil)
				return true
			}
			work.message = message
			work.limit = s.limit(work.deadline, (*zmq.Socket).GetSndtimeo)
		}
		var err error
		if s.blocks(work.deadline) {
			err = s.blocking(func() error { return s.put(work, 0) })
		} else {
			err = s.put(work, zmq.DONTWAIT)
			if again(err) && !past(work.limit) {
				return progress
			}
		}
		if err != nil {
			s.finishSend(work, err)
			return true
		}
		work.message = nil
		work.sent++
		progress = true
		if s.closing.Load() {
			return true
		}
	}
	return true
}

// put hands the message to the library on the wanted path. If it fails, none of the frames is sent.
func (s *Socket) put(work *sending, flag zmq.Flag) (err error) {
	switch {
	case work.frames:
		last := len(work.message) - 1
		for i := 0; err == nil && i <= last; i++ {
			more := zmq.SNDMORE
			if i == last {
				more = 0
			}
			_, err = s.socket.SendBytes(work.message[i], flag|more)
		}
	case flag == zmq.DONTWAIT:
		_, err = s.socket.SendMessageDontwait([][]byte(work.message))
	default:
		_, err = s.socket.SendMessage([][]byte(work.message))
	}
	return err
}

// receive takes what has come, up to a burst, and reports whether there was any.
func (s *Socket) receive(work *taking) (progress bool) {
	if work.begun.IsZero() {
		s.notice()
		work.begun = time.Now()
	}
	for range burst {
		if !work.waiting {
			work.limit = s.limit(work.deadline, (*zmq.Socket).GetRcvtimeo)
			work.waiting = true
		}
		var message [][]byte
		var err error
		if s.blocks(work.deadline) {
			err = s.blocking(func() (err error) {
				message, err = s.socket.RecvMessageBytes(0)
				return err
			})
		} else {
			message, err = s.socket.RecvMessageBytes(zmq.DONTWAIT)
			if again(err) && !past(work.limit) {
				return progress
			}
		}
		if err != nil {
			s.finishTake(work, err)
			return true
		}
		work.waiting = false
		if !work.take(message) {
			s.finishTake(work, nil)
			return true
		}
		progress = true
		if s.closing.Load() {
			return true
		}
	}
	return true
}

// blocks tells whether a call runs as the library's own blocking call.
func (s *Socket) blocks(deadline time.Time) bool {
	return deadline.IsZero() && s.lease.Name == ""
}

// blocking makes a blocking call unless the socket is closing; Close sees to the other case.
func (s *Socket) blocking(call func() error) error {
	s.blocked.Store(true)
	defer s.blocked.Store(false)
	if s.closing.Load() {
		return driver.ErrClosed
	}
	return call()
}

func past(deadline time.Time) bool {
	return !deadline.IsZero() && !time.Now().Before(deadline)
}

// nap is the pause after the library called a socket ready that was not. A ROUTER does so for sending
// when only some of its connections are.
const nap = time.Millisecond

// poll waits until the socket may be ready for the work, a limit passes or the bell rings.
func (s *Socket) poll(now desk) {
	var events zmq.State
	wait := time.Duration(-1)
	atMost := func(left time.Duration) {
		if wait < 0 || left < wait {
			wait = left
		}
	}
	on := func(event zmq.State, limit time.Time) {
		if s.ready&event == 0 {
			events |= event
		} else {
			atMost(nap)
		}
		if !limit.IsZero() {
			// zmq_poll counts in milliseconds: round up, else the end of each wait would spin.
			atMost(max(0, time.Until(limit)+time.Millisecond-1))
		}
	}
	if now.sending != nil {
		on(zmq.POLLOUT, now.sending.limit)
	}
	if now.taking != nil {
		on(zmq.POLLIN, now.taking.limit)
	}
	_, _ = s.poller.Update(0, events)

	s.mu.Lock()
	if s.closing.Load() || s.differs(now) {
		s.mu.Unlock()
		return
	}
	s.waiting = true
	s.mu.Unlock()
	polled, _ := s.poller.Poll(wait)
	s.mu.Lock()
	rung := !s.waiting
	s.waiting = false
	s.mu.Unlock()
	if rung {
		s.bell.hush()
	}
	s.ready = 0
	for _, item := range polled {
		if item.Socket == s.socket {
			s.ready = item.Events
		}
	}
}
