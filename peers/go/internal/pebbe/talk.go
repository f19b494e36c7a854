//go:build cgo

package pebbe

import (
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/alarm"
	"zmq-interop/peers/go/internal/driver"
)

// glance is how long a call of a talk blocks before it looks whether there is something else to do.
const glance = 20 * time.Millisecond

// conversation is a talk on the goroutine that owns the socket. Its calls are the library's blocking ones with
// a short SNDTIMEO and RCVTIMEO: waiting in zmq_poll would cost more than the rest of a round trip. Errands
// find the socket's options as they were.
type conversation struct {
	*Socket
	deadline   time.Time
	set        bool          // the timeouts are ours
	sndtimeo   time.Duration // the socket's own
	rcvtimeo   time.Duration
	clock      *alarm.Alarm
	descriptor int // of the socket, 0 if not asked for yet
}

// talk runs a talk. It holds up no errand.
func (s *Socket) talk(work *talking) {
	s.notice()
	c := &conversation{Socket: s, deadline: work.deadline}
	err := work.talk(driver.Conversation{
		Send: c.send, Receive: c.receive, ReceiveBefore: c.receiveBefore, Rest: c.rest,
	})
	c.restore()
	if c.clock != nil {
		c.clock.Close()
	}
	s.mu.Lock()
	s.talking = nil
	s.mu.Unlock()
	work.done <- s.final(err)
}

// look does what else there is to do, and tells whether the talk must end.
func (c *conversation) look() error {
	c.mu.Lock()
	errands := c.errands
	c.errands = nil
	c.mu.Unlock()
	if len(errands) > 0 {
		c.restore()
		for _, errand := range errands {
			errand()
		}
	}
	switch {
	case c.closing.Load():
		return driver.ErrClosed
	case c.set:
		return nil
	}
	return c.hurry()
}

// hurry sets the timeouts.
func (c *conversation) hurry() (err error) {
	c.set = true
	if c.sndtimeo, err = c.socket.GetSndtimeo(); err != nil {
		return err
	}
	if c.rcvtimeo, err = c.socket.GetRcvtimeo(); err != nil {
		return err
	}
	if err = c.socket.SetSndtimeo(glance); err != nil {
		return err
	}
	return c.socket.SetRcvtimeo(glance)
}

func (c *conversation) restore() {
	if c.set {
		_, _ = c.socket.SetSndtimeo(c.sndtimeo), c.socket.SetRcvtimeo(c.rcvtimeo)
		c.set = false
	}
}

// late tells whether a call that came back empty-handed was the last.
func (c *conversation) late(err error) bool { return !again(err) || past(c.deadline) }

func (c *conversation) send(message driver.Message) error {
	for {
		if err := c.look(); err != nil {
			return err
		}
		if _, err := c.socket.SendMessage([][]byte(message)); err == nil || c.late(err) {
			return report(err)
		}
	}
}

func (c *conversation) receive() (driver.Message, error) {
	for {
		if err := c.look(); err != nil {
			return nil, err
		}
		if message, err := c.socket.RecvMessageBytes(0); err == nil || c.late(err) {
			return message, report(err)
		}
	}
}

func (c *conversation) receiveBefore(moment time.Time) (message driver.Message, came bool, err error) {
	for {
		if err := c.look(); err != nil {
			return nil, false, err
		}
		message, err := c.socket.RecvMessageBytes(zmq.DONTWAIT)
		if err == nil || c.late(err) {
			return message, err == nil, report(err)
		}
		left := time.Until(moment)
		if left <= 0 {
			return nil, false, nil
		}
		c.await(min(left, glance))
	}
}

// rest waits for the moment.
func (c *conversation) rest(moment time.Time) error {
	return c.alarm().Pause(moment, func() error {
		if past(c.deadline) {
			return driver.ErrTimeout
		}
		return c.look()
	})
}

func (c *conversation) alarm() *alarm.Alarm {
	if c.clock == nil {
		c.clock = alarm.New()
	}
	return c.clock
}
