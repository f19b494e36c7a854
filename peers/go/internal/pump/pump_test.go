package pump

import (
	"errors"
	"strings"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

func soon() time.Time  { return time.Now().Add(10 * time.Second) }
func short() time.Time { return time.Now().Add(5 * time.Millisecond) }

func text(s string) driver.Message { return driver.Message{[]byte(s)} }

// one receives a message, or "" and an error.
func one(r *Receiver, deadline time.Time) (got string, err error) {
	var m driver.Message
	if err := r.Receive(deadline, driver.Into(&m)); err != nil {
		return "", err
	}
	return string(m[0]), nil
}

func TestReceiverKeepsWhatComesLate(t *testing.T) {
	source := make(chan result)
	r := NewReceiver(func() (driver.Message, error) {
		got := <-source
		return got.message, got.err
	})
	defer r.Close()
	if _, err := one(r, short()); !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	source <- result{message: text("late")}
	broken := errors.New("broken")
	go func() {
		source <- result{err: broken}
		source <- result{message: text("after")}
	}()
	if got, err := one(r, soon()); got != "late" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	if _, err := one(r, soon()); !errors.Is(err, broken) {
		t.Fatalf("got %v", err)
	}
	if got, err := one(r, soon()); got != "after" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
}

func TestReceiverClosesUnderACall(t *testing.T) {
	r := NewReceiver(func() (driver.Message, error) { select {} })
	time.AfterFunc(5*time.Millisecond, r.Close)
	if _, err := one(r, time.Time{}); !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("got %v", err)
	}
	if _, err := one(r, soon()); !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("after close: %v", err)
	}
}

// A talk's receive that is left at the deadline keeps what it brings, for a call on the pump's goroutine.
func TestATalkKeepsWhatComesLate(t *testing.T) {
	source := make(chan string)
	r := NewReceiver(func() (driver.Message, error) { return text(<-source), nil })
	s := NewSender(func(string, driver.Message) error { return nil })
	defer r.Close()
	ended := make(chan error, 1)
	err := Talk(s, r, short(), nil, func(with driver.Conversation) error {
		if err := with.Send(text("out")); err != nil {
			return err
		}
		_, err := with.Receive()
		ended <- err
		return err
	})
	if !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	go func() {
		source <- "late"
		source <- "after"
	}()
	for _, want := range []string{"late", "after"} {
		if got, err := one(r, soon()); got != want || err != nil {
			t.Fatalf("got %q, %v", got, err)
		}
	}
	if err := <-ended; !errors.Is(err, driver.ErrTimeout) {
		t.Errorf("inside: %v", err)
	}
}

// The other way round: a receive that timed out is still in the library when a talk begins.
func TestATalkTakesWhatAReceiveLeft(t *testing.T) {
	source := make(chan string)
	r := NewReceiver(func() (driver.Message, error) { return text(<-source), nil })
	s := NewSender(func(string, driver.Message) error { return nil })
	defer r.Close()
	if _, err := one(r, short()); !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	go func() {
		source <- "first"
		source <- "second"
	}()
	err := Talk(s, r, soon(), nil, func(with driver.Conversation) error {
		for _, want := range []string{"first", "second"} {
			if got, err := with.Receive(); err != nil || string(got[0]) != want {
				t.Errorf("%q, %v", got, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// texts gives messages one by one.
func texts(all ...string) driver.Source {
	return func() (driver.Message, bool) {
		if len(all) == 0 {
			return nil, false
		}
		next := all[0]
		all = all[1:]
		return text(next), true
	}
}

func TestSenderSaysHowFarItCame(t *testing.T) {
	broken := errors.New("broken")
	s := NewSender(func(_ string, m driver.Message) error {
		if string(m[0]) == "bad" {
			return broken
		}
		return nil
	})
	defer s.Close()
	if sent, err := s.Send(soon(), "", texts("a", "b")); sent != 2 || err != nil {
		t.Fatalf("sent %d, %v", sent, err)
	}
	if sent, err := s.Send(soon(), "", texts("a", "bad", "c")); sent != 1 || !errors.Is(err, broken) {
		t.Fatalf("sent %d, %v", sent, err)
	}
}

func TestSenderLeavesALateSendAndWaitsForItNextTime(t *testing.T) {
	release := make(chan struct{})
	var order []string
	s := NewSender(func(via string, m driver.Message) error {
		if string(m[0]) == "slow" {
			<-release
		}
		order = append(order, via+string(m[0]))
		return nil
	})
	defer s.Close()
	if sent, err := s.Send(short(), "v", texts("a", "slow", "never")); sent != 1 || !errors.Is(err, ErrLate) {
		t.Fatalf("sent %d, %v", sent, err)
	}
	if sent, err := s.Send(short(), "w", texts("not yet")); sent != 0 || !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("sent %d, %v", sent, err)
	}
	close(release)
	if sent, err := s.Send(soon(), "w", texts("b")); sent != 1 || err != nil {
		t.Fatalf("sent %d, %v", sent, err)
	}
	if got := strings.Join(order, " "); got != "va vslow wb" {
		t.Fatalf("order %s", got)
	}
}

func TestSenderClosesUnderACall(t *testing.T) {
	s := NewSender(func(string, driver.Message) error { select {} })
	time.AfterFunc(5*time.Millisecond, s.Close)
	if sent, err := s.Send(time.Time{}, "", texts("a")); sent != 0 || !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("sent %d, %v", sent, err)
	}
}
