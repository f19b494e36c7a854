package server

import (
	"slices"
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// lane keeps the calls of one direction on one socket in their order of arrival.
type lane struct {
	mu    sync.Mutex
	queue []*turn // the first one has the lane
}

// turn is a call's place in a lane.
type turn struct {
	lane  *lane
	ready chan struct{} // closed when the turn has come
}

// join takes the next place. It never waits.
func (l *lane) join() *turn {
	t := &turn{lane: l, ready: make(chan struct{})}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.queue = append(l.queue, t)
	if len(l.queue) == 1 {
		close(t.ready)
	}
	return t
}

// wait waits for the turn, until the deadline if it isn't zero, or until the socket closes.
func (t *turn) wait(deadline time.Time, closed <-chan struct{}) error {
	select {
	case <-t.ready:
		return nil
	default:
	}
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-t.ready:
		return nil
	case <-closed:
		return driver.ErrClosed
	case <-expired:
		return driver.ErrTimeout
	}
}

// leave gives the place up, whether its turn has come or not.
func (t *turn) leave() {
	t.lane.mu.Lock()
	defer t.lane.mu.Unlock()
	i := slices.Index(t.lane.queue, t)
	t.lane.queue = slices.Delete(t.lane.queue, i, i+1)
	if i == 0 && len(t.lane.queue) > 0 {
		close(t.lane.queue[0].ready)
	}
}
