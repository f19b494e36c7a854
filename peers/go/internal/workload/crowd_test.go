package workload

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

func TestASwarmSendsFromEverySource(t *testing.T) {
	left, right := wire()
	var connected, gone atomic.Int64
	done, err := Swarm(soon(), 5, Stream{Count: 20, Size: MinSize}, func() (*Member, error) {
		return &Member{
			Socket:  left,
			Connect: func() error { connected.Add(1); return nil },
			Leave: func(discard bool) {
				if discard {
					t.Error("discards what was sent")
				}
				gone.Add(1)
			},
		}, nil
	})
	if err != nil || done.Sent != 100 || connected.Load() != 5 || gone.Load() != 5 {
		t.Fatalf("%+v, %v", done, err)
	}
	drained, err := Drain(right, soon(), 100, 0, false)
	if err != nil || len(drained.Sources) != 5 {
		t.Fatalf("%+v, %v", drained, err)
	}
	for source, tally := range drained.Sources {
		if tally.Received != 20 || tally.Missing+tally.Doubled != 0 {
			t.Errorf("%s: %+v", source, tally)
		}
	}
}

func TestASwarmThatCannotConnectSendsNothing(t *testing.T) {
	left, _ := wire()
	broken := errors.New("refused")
	var opened, closed atomic.Int64
	done, err := Swarm(soon(), 3, Stream{Count: 1, Size: MinSize}, func() (*Member, error) {
		nth := opened.Add(1)
		return &Member{
			Socket: left,
			Connect: func() error {
				if nth == 2 {
					return broken
				}
				return nil
			},
			Leave: func(bool) { closed.Add(1) },
		}, nil
	})
	if !errors.Is(err, broken) || done.Sent != 0 || closed.Load() != 3 {
		t.Fatalf("%+v, %v, closed %d", done, err, closed.Load())
	}
}

// lent is a socket that can be lent and minds being used by two at once.
type lent struct {
	driver.Socket
	busy  sync.Mutex
	order []uint64
	full  chan struct{} // closed to let sends through; nil if they need not wait
}

func (l *lent) Lend(stop <-chan struct{}, use func(func(driver.Message) error) error) error {
	return use(func(message driver.Message) error {
		if !l.busy.TryLock() {
			return errors.New("two at once")
		}
		defer l.busy.Unlock()
		if l.full != nil {
			select {
			case <-l.full:
			case <-stop:
				return driver.ErrTimeout
			}
		}
		_, source, _ := numbers(message[0])
		l.order = append(l.order, source)
		return nil
	})
}

func TestWorkersTakeTurnsOnASharedSocket(t *testing.T) {
	for _, how := range []string{Mutex, Handover} {
		socket := new(lent)
		done, err := Share(Socket{Socket: socket}, soon(), 4, Stream{Count: 50, Size: MinSize}, how)
		if err != nil || done.Sent != 200 || len(socket.order) != 200 {
			t.Fatalf("%s: %+v, %v", how, done, err)
		}
		for i, source := range socket.order {
			if how == Handover && source != uint64(i/50) {
				t.Fatalf("message %d is from %d", i, source)
			}
		}
	}
}

func TestAStuckShareEndsAtItsDeadlineOrWhenItsSocketCloses(t *testing.T) {
	socket := &lent{full: make(chan struct{})}
	late := time.Now().Add(20 * time.Millisecond)
	if _, err := Share(Socket{Socket: socket}, late, 2, Stream{Count: 1, Size: MinSize}, Mutex); !errors.Is(err, driver.ErrTimeout) {
		t.Errorf("late: %v", err)
	}
	closed := make(chan struct{})
	close(closed)
	if _, err := Share(Socket{Socket: socket, Closed: closed}, soon(), 2, Stream{Count: 1, Size: MinSize}, Handover); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}
