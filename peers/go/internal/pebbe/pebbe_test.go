//go:build cgo

package pebbe_test

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/drivertest"
	"zmq-interop/peers/go/internal/pebbe"
)

func TestDriver(t *testing.T) { drivertest.Run(t, pebbe.New()) }

func open(t *testing.T, library *pebbe.Library, context, socketType string, options ...driver.Option) driver.Socket {
	t.Helper()
	socket, err := library.Open(context, socketType, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return socket
}

func number(name string, value int64) driver.Option {
	return driver.Option{Name: name, Value: driver.Value{Integer: value}}
}

func frame(name, value string) driver.Option {
	return driver.Option{Name: name, Value: driver.Value{Bytes: []byte(value)}}
}

func soon() time.Time { return time.Now().Add(10 * time.Second) }

func nothing(driver.Message) bool { return false }

// forever gives the same message again and again.
func forever(frames ...[]byte) driver.Source {
	return func() (driver.Message, bool) { return frames, true }
}

func one(frames ...[]byte) driver.Source { return driver.One(frames) }

func named(name driver.Name) error { return &driver.Error{Name: name} }

func TestOptionsComeBackAsTheyWereSet(t *testing.T) {
	socket := open(t, pebbe.New(), "", "DEALER")
	for _, option := range []driver.Option{
		number("LINGER", -1), number("LINGER", 250), number("SNDHWM", 7), number("RCVTIMEO", -1),
		number("SNDTIMEO", 20), number("IMMEDIATE", 1), number("MAXMSGSIZE", 1<<40), number("IPV6", 1),
		number("RECONNECT_IVL", -1), frame("ROUTING_ID", "me"), frame("ROUTING_ID", "a\x00b"),
	} {
		if err := socket.Set(option); err != nil {
			t.Errorf("set %s: %v", option.Name, err)
		}
		got, err := socket.Get(option.Name)
		if err != nil || got.Integer != option.Value.Integer || !bytes.Equal(got.Bytes, option.Value.Bytes) {
			t.Errorf("%s: got %v, %v, want %v", option.Name, got, err, option.Value)
		}
	}
	if got, err := open(t, pebbe.New(), "", "PULL").Get("LINGER"); err != nil || got.Integer != 0 {
		t.Errorf("LINGER of a new socket: %v, %v", got, err)
	}
}

func TestOptionsOfTheWrongKind(t *testing.T) {
	socket := open(t, pebbe.New(), "", "SUB")
	for option, want := range map[string]struct {
		option driver.Option
		name   driver.Name
	}{
		"a frame for a number":     {frame("LINGER", "0"), driver.Invalid},
		"a number for a frame":     {number("SUBSCRIBE", 1), driver.Invalid},
		"one that can only be got": {frame("LAST_ENDPOINT", "x"), driver.Unsupported},
		"a value out of range":     {number("RCVHWM", -1), driver.Failed},
	} {
		if err := socket.Set(want.option); !errors.Is(err, named(want.name)) {
			t.Errorf("%s: %v", option, err)
		}
	}
	if _, err := socket.Get("SUBSCRIBE"); !errors.Is(err, named(driver.Unsupported)) {
		t.Errorf("got %v", err)
	}
}

func TestErrorsHaveTheirNames(t *testing.T) {
	library := pebbe.New()
	req, router, pull := open(t, library, "", "REQ"), open(t, library, "", "ROUTER", number("ROUTER_MANDATORY", 1)), open(t, library, "", "PULL")
	if err := req.Receive(soon(), nothing); !errors.Is(err, named(driver.State)) {
		t.Errorf("a REQ that receives first: %v", err)
	}
	if _, err := router.Send(soon(), "", one([]byte("nobody"), []byte("x"))); !errors.Is(err, named(driver.Unroutable)) {
		t.Errorf("a ROUTER without the receiver: %v", err)
	}
	if err := pull.Connect("tcp://nothing"); !errors.Is(err, named(driver.Invalid)) {
		t.Errorf("an address that is none: %v", err)
	}
	if err := pull.Connect("foo://nothing"); !errors.Is(err, named(driver.Unsupported)) {
		t.Errorf("a transport that is none: %v", err)
	}
}

func TestTheSocketsOwnTimeoutCountsWithoutADeadline(t *testing.T) {
	library := pebbe.New()
	for _, context := range []string{"", "shared"} {
		socket := open(t, library, context, "DEALER", number("RCVTIMEO", 20), number("SNDTIMEO", 20))
		if err := socket.Receive(time.Time{}, nothing); !errors.Is(err, driver.ErrTimeout) {
			t.Errorf("receive in context %q: %v", context, err)
		}
		if _, err := socket.Send(time.Time{}, "", one([]byte("x"))); !errors.Is(err, driver.ErrTimeout) {
			t.Errorf("send in context %q: %v", context, err)
		}
	}
}

func TestCloseInterruptsABlockingSend(t *testing.T) {
	library := pebbe.New()
	for _, context := range []string{"", "shared"} {
		socket, err := library.Open(context, "PUSH", nil)
		if err != nil {
			t.Fatal(err)
		}
		time.AfterFunc(20*time.Millisecond, func() { _ = socket.Close() })
		if _, err := socket.Send(time.Time{}, "", one([]byte("x"))); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("in context %q: %v", context, err)
		}
	}
}

// A flood that nobody takes and a receive on the same socket must not starve each other.
func TestBothDirectionsOfOneSocketGoOn(t *testing.T) {
	library := pebbe.New()
	left, right := open(t, library, "c", "PAIR", number("SNDHWM", 10)), open(t, library, "c", "PAIR", number("RCVHWM", 10))
	endpoint, err := left.Bind("inproc://both")
	if err != nil {
		t.Fatal(err)
	}
	if err := right.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	flooded := make(chan int, 1)
	go func() {
		sent, _ := left.Send(time.Now().Add(300*time.Millisecond), "", forever([]byte("x")))
		flooded <- sent
	}()
	for range 100 {
		if _, err := right.Send(soon(), "", one([]byte("y"))); err != nil {
			t.Fatal(err)
		}
		if err := left.Receive(soon(), nothing); err != nil {
			t.Fatal(err)
		}
	}
	if sent := <-flooded; sent < 10 || sent > 25 {
		t.Errorf("sent %d", sent)
	}
}

// A ROUTER always calls itself ready for sending, also when the one connection meant is full.
func TestAFullRouterTimesOutWithoutSpinning(t *testing.T) {
	library := pebbe.New()
	router := open(t, library, "c", "ROUTER", number("ROUTER_MANDATORY", 1), number("SNDHWM", 5))
	endpoint, err := router.Bind("inproc://full")
	if err != nil {
		t.Fatal(err)
	}
	dealer := open(t, library, "c", "DEALER", frame("ROUTING_ID", "d"), number("RCVHWM", 5))
	if err := dealer.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	if _, err := dealer.Send(soon(), "", one([]byte("hello"))); err != nil {
		t.Fatal(err)
	}
	if err := router.Receive(soon(), nothing); err != nil {
		t.Fatal(err)
	}
	for _, via := range []string{"SendMessage", "SendBytes"} {
		start := time.Now()
		_, err = router.Send(start.Add(50*time.Millisecond), via, forever([]byte("d"), []byte("x")))
		if took := time.Since(start); !errors.Is(err, driver.ErrTimeout) || took < 50*time.Millisecond {
			t.Errorf("%s: %v after %v", via, err, took)
		}
	}
}

func TestSocketsUseTheirBellsAgain(t *testing.T) {
	library := pebbe.New()
	for range 50 {
		socket, err := library.Open("", "PULL", nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = socket.Receive(time.Now(), nothing)
		if err := socket.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestUnbindAndDisconnect(t *testing.T) {
	library := pebbe.New()
	left, right := open(t, library, "", "PAIR"), open(t, library, "", "PAIR")
	endpoint, err := left.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	if err := right.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	if err := right.(driver.Disconnecter).Disconnect(endpoint); err != nil {
		t.Error(err)
	}
	if err := left.(driver.Unbinder).Unbind(endpoint); err != nil {
		t.Error(err)
	}
	if err := left.(driver.Unbinder).Unbind(endpoint); err == nil {
		t.Error("unbound twice")
	}
}
