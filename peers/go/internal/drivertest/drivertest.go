// Package drivertest holds what every driver must do. A driver's test is one call of Run. It tests the
// driver, not the library: cells of the harness do that.
package drivertest

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Run checks a driver.
func Run(t *testing.T, library driver.Library) {
	for _, check := range []struct {
		claim string
		run   func(*testing.T, driver.Library)
	}{
		{"about says who it is", about},
		{"messages cross every transport", transports},
		{"messages cross on every send path", sendPaths},
		{"a receive without a message times out", timeouts},
		{"a message that comes after a timeout belongs to the next receive", late},
		{"a past deadline still takes what is there", pastDeadline},
		{"a waiting receive holds up neither a send nor an option", sideBySide},
		{"a talk is a conversation", talk},
		{"close interrupts a talk", closeInterruptsTalk},
		{"close interrupts a receive with a deadline", closeInterrupts(soon)},
		{"close interrupts a receive without a deadline", closeInterrupts(func() time.Time { return time.Time{} })},
		{"close interrupts a receive of a shared context", closeInterruptsShared},
		{"a stream of sends says how many went", countedSends},
		{"a context ends with its last socket", contexts},
		{"what the library lacks is unsupported", unsupported},
		{"a bound port is free again after close", rebind},
		{"a timeout tells how long it waited", waits},
		{"a context ends under its sockets", terminates},
		{"a shared socket loses nothing", lends},
		{"a proxy passes both ways and stops when told", proxies},
		{"a closed socket ends a proxy", closeEndsProxy},
		{"an echo answers pings, in turn and by a plan", pings},
		{"callers are answered, or give up", calls},
	} {
		t.Run(check.claim, func(t *testing.T) {
			check.run(t, library)
			if n := library.Contexts(); n != 0 {
				t.Errorf("contexts left: %d", n)
			}
		})
	}
}

func about(t *testing.T, library driver.Library) {
	about := library.About()
	for name, value := range map[string]string{
		"peer": about.Peer, "implementation": about.Implementation,
		"version": about.Version, "library": about.Library,
	} {
		if value == "" {
			t.Errorf("there is no %s", name)
		}
	}
}

func transports(t *testing.T, library driver.Library) {
	message := driver.Message{[]byte("a"), {}, {0, 255, 1}}
	for i, transport := range library.About().Transports {
		endpoint := map[string]string{
			"tcp":          "tcp://127.0.0.1:*",
			"tcp6":         "tcp://[::1]:*",
			"ipc":          "ipc://" + filepath.Join(t.TempDir(), "s"),
			"ipc-abstract": fmt.Sprintf("ipc://@zmq-interop-test-%d-%d", time.Now().UnixNano(), i),
			"inproc":       fmt.Sprintf("inproc://test-%d", i),
		}[transport]
		t.Run(transport, func(t *testing.T) {
			left, right := pair(t, library, endpoint)
			send(t, left, message)
			same(t, receive(t, right), message)
			shut(t, left, right)
		})
	}
}

func sendPaths(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	for _, via := range library.About().SendPaths {
		for _, message := range []driver.Message{
			{[]byte("one")}, {{}}, {[]byte("a"), {}, bytes.Repeat([]byte("b"), 300)}, {{}, {}, {}},
		} {
			if _, err := left.Send(soon(), via, driver.One(message)); err != nil {
				t.Fatalf("%s: %v", via, err)
			}
			same(t, receive(t, right), message)
		}
	}
}

func timeouts(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	for _, wait := range []time.Duration{0, 30 * time.Millisecond} {
		start := time.Now()
		err := left.Receive(start.Add(wait), into(new([]driver.Message), 1))
		if !errors.Is(err, driver.ErrTimeout) {
			t.Fatalf("got %v", err)
		}
		if took := time.Since(start); took < wait || took > patience/2 {
			t.Errorf("a timeout of %v took %v", wait, took)
		}
	}
}

func late(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	var got []driver.Message
	if err := left.Receive(time.Now(), into(&got, 1)); !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	for _, text := range []string{"1", "2", "3"} {
		send(t, right, driver.Message{[]byte(text)})
	}
	for _, text := range []string{"1", "2", "3"} {
		same(t, receive(t, left), driver.Message{[]byte(text)})
	}
}

func pastDeadline(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	var got []driver.Message
	if sent, err := right.Send(time.Now().Add(-time.Second), "", driver.One(driver.Message{[]byte("x")})); err != nil || sent != 1 {
		t.Fatalf("send: %d, %v", sent, err)
	}
	for end := soon(); len(got) == 0 && time.Now().Before(end); {
		err := left.Receive(time.Now().Add(-time.Second), into(&got, 1))
		if err != nil && !errors.Is(err, driver.ErrTimeout) {
			t.Fatal(err)
		}
	}
	if len(got) != 1 {
		t.Fatalf("got %q", got)
	}
}

func sideBySide(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	var got []driver.Message
	done := make(chan error, 1)
	go func() { done <- left.Receive(soon(), into(&got, 1)) }()
	time.Sleep(20 * time.Millisecond) // let it wait; the test holds also if it doesn't
	send(t, left, driver.Message{[]byte("out")})
	same(t, receive(t, right), driver.Message{[]byte("out")})
	_, _ = left.Get("LINGER") // any answer will do
	send(t, right, driver.Message{[]byte("in")})
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	same(t, got[0], driver.Message{[]byte("in")})
}

// talker gives a socket's Talker, which not every driver has.
func talker(t *testing.T, socket driver.Socket) driver.Talker {
	t.Helper()
	talker, ok := socket.(driver.Talker)
	if !ok {
		shut(t, socket)
		t.Skip("no talker")
	}
	return talker
}

func talk(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, right)
	able := talker(t, left)
	defer shut(t, left)
	done := make(chan error, 1)
	go func() {
		done <- able.Talk(soon(), func(with driver.Conversation) error {
			for range 2 {
				message, err := with.Receive()
				if err != nil {
					return err
				}
				if err := with.Send(message); err != nil {
					return err
				}
			}
			return nil
		})
	}()
	for _, text := range []string{"1", "2"} {
		_, _ = left.Get("LINGER") // is not held up
		send(t, right, driver.Message{[]byte(text)})
		same(t, receive(t, right), driver.Message{[]byte(text)})
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	err := able.Talk(time.Now(), func(with driver.Conversation) error {
		_, err := with.Receive()
		return err
	})
	if !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("without a message: %v", err)
	}
	send(t, left, driver.Message{[]byte("after")})
	same(t, receive(t, right), driver.Message{[]byte("after")})
}

func closeInterruptsTalk(t *testing.T, library driver.Library) {
	socket, err := library.Open("", "PULL", nil)
	if err != nil {
		t.Fatal(err)
	}
	able := talker(t, socket)
	done := make(chan error, 1)
	go func() {
		done <- able.Talk(soon(), func(with driver.Conversation) error {
			_, err := with.Receive()
			return err
		})
	}()
	time.Sleep(20 * time.Millisecond) // let it block; the test holds also if it doesn't
	shut(t, socket)
	if err := <-done; !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

// closeInterrupts closes a socket of its own context while it receives.
func closeInterrupts(deadline func() time.Time) func(*testing.T, driver.Library) {
	return func(t *testing.T, library driver.Library) {
		socket, err := library.Open("", "PULL", nil)
		if err != nil {
			t.Fatal(err)
		}
		interrupt(t, socket, deadline())
	}
}

func closeInterruptsShared(t *testing.T, library driver.Library) {
	left, right := openPair(t, library)
	interrupt(t, left, time.Time{})
	shut(t, right)
}

func interrupt(t *testing.T, socket driver.Socket, deadline time.Time) {
	t.Helper()
	if _, err := socket.Bind("tcp://127.0.0.1:*"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- socket.Receive(deadline, into(new([]driver.Message), 1)) }()
	time.Sleep(20 * time.Millisecond) // let it block; the test holds also if it doesn't
	shut(t, socket)
	select {
	case err := <-done:
		if !errors.Is(err, driver.ErrClosed) {
			t.Fatalf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("the receive still waits")
	}
	if err := socket.Receive(soon(), into(new([]driver.Message), 1)); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

func countedSends(t *testing.T, library driver.Library) {
	const count = 1000
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	var got []driver.Message
	done := make(chan error, 1)
	go func() { done <- right.Receive(soon(), into(&got, count)) }()
	given := 0
	sent, err := left.Send(soon(), "", func() (driver.Message, bool) {
		given++
		return driver.Message{fmt.Appendf(nil, "%d", given-1)}, given <= count
	})
	if sent != count || err != nil {
		t.Fatalf("sent %d, %v", sent, err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for i, message := range got {
		same(t, message, driver.Message{fmt.Appendf(nil, "%d", i)})
	}
}

func contexts(t *testing.T, library driver.Library) {
	a, b := openPair(t, library)
	c, err := library.Open("", "PAIR", nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := library.Contexts(); n != 2 {
		t.Errorf("contexts with three sockets, two of them together: %d", n)
	}
	shut(t, a)
	if n := library.Contexts(); n != 2 {
		t.Errorf("contexts after one of two closed: %d", n)
	}
	shut(t, b)
	if n := library.Contexts(); n != 1 {
		t.Errorf("contexts after both closed: %d", n)
	}
	shut(t, c)
}

func unsupported(t *testing.T, library driver.Library) {
	want := &driver.Error{Name: driver.Unsupported}
	if _, err := library.Open("", "NONSENSE", nil); !errors.Is(err, want) {
		t.Errorf("socket type: %v", err)
	}
	if _, err := library.Open("", "PAIR", []driver.Option{{Name: "NONSENSE"}}); !errors.Is(err, want) {
		t.Errorf("option in open: %v", err)
	}
	socket, err := library.Open("", "PULL", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer shut(t, socket)
	if err := socket.Set(driver.Option{Name: "NONSENSE"}); !errors.Is(err, want) {
		t.Errorf("set: %v", err)
	}
	if _, err := socket.Get("NONSENSE"); !errors.Is(err, want) {
		t.Errorf("get: %v", err)
	}
	if _, err := socket.Send(soon(), "", driver.One(driver.Message{{}})); !errors.Is(err, want) {
		t.Errorf("send on a PULL: %v", err)
	}
}

func rebind(t *testing.T, library driver.Library) {
	endpoint := "tcp://127.0.0.1:*"
	for range 3 {
		socket, err := library.Open("", "PULL", nil)
		if err != nil {
			t.Fatal(err)
		}
		if endpoint, err = socket.Bind(endpoint); err != nil {
			t.Errorf("bind: %v", err)
		}
		shut(t, socket)
	}
}
