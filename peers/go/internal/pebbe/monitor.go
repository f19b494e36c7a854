//go:build cgo

package pebbe

import (
	"strings"
	"sync"
	"sync/atomic"
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// monitor records the events of a socket. A goroutine of its own takes them from the PAIR that libzmq
// sends them to, until it is told that the monitor has stopped or the context ends.
type monitor struct {
	mu      sync.Mutex
	events  []driver.Event // not handed out yet
	changed chan struct{}  // closed, and replaced, when there is news
	ended   bool
}

var monitors atomic.Int64 // endpoints given out

// Monitor implements driver.Monitored.
func (s *Socket) Monitor() error {
	return errandOnly(s, func() error {
		if s.monitor.Load() != nil {
			return nil
		}
		endpoint := "inproc://zmq-interop-monitor-" + decimal(monitors.Add(1))
		receiver, err := s.lease.Context.socket(zmq.PAIR)
		if err != nil {
			return err
		}
		_ = receiver.SetLinger(0)
		_ = receiver.SetRcvhwm(0)
		if err = s.socket.Monitor(endpoint, zmq.EVENT_ALL); err == nil {
			err = receiver.Connect(endpoint)
		}
		if err != nil {
			_ = receiver.Close()
			return err
		}
		m := &monitor{changed: make(chan struct{})}
		s.monitor.Store(m)
		go m.record(receiver)
		return nil
	})
}

// unmonitor has libzmq say that the monitor has stopped. The owner calls it before it closes the socket.
func (s *Socket) unmonitor() {
	if s.monitor.Load() != nil {
		_ = s.socket.Monitor("", 0)
	}
}

func (m *monitor) record(receiver *zmq.Socket) {
	for stopped := false; !stopped; {
		event, endpoint, value, err := receiver.RecvEvent(0)
		if err != nil {
			break
		}
		stopped = event == zmq.EVENT_MONITOR_STOPPED
		m.note(func() {
			name := strings.TrimPrefix(event.String(), "EVENT_")
			m.events = append(m.events, driver.Event{Name: name, Endpoint: endpoint, Value: int64(value)})
		})
	}
	_ = receiver.Close()
	m.note(func() { m.ended = true })
}

// note makes a change and lets waiting calls know.
func (m *monitor) note(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
	close(m.changed)
	m.changed = make(chan struct{})
}

// take hands out recorded events. It reports whether that was enough, and else what to wait for.
func (m *monitor) take(take func(driver.Event) bool) (enough bool, changed chan struct{}, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.events) > 0 {
		event := m.events[0]
		m.events = m.events[1:]
		if !take(event) {
			return true, nil, nil
		}
	}
	if m.ended {
		return false, nil, driver.ErrClosed
	}
	return false, m.changed, nil
}

// Events implements driver.Monitored.
func (s *Socket) Events(deadline time.Time, take func(driver.Event) bool) error {
	m := s.monitor.Load()
	if m == nil {
		return &driver.Error{Name: driver.State, Text: "nothing records the socket's events"}
	}
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	for {
		enough, changed, err := m.take(take)
		if enough || err != nil {
			return err
		}
		select {
		case <-changed:
		case <-s.leaving:
			return driver.ErrClosed
		case <-expired:
			return driver.ErrTimeout
		}
	}
}
