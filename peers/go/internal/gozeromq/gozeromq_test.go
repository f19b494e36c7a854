package gozeromq_test

import (
	"errors"
	"net"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/drivertest"
	"zmq-interop/peers/go/internal/gozeromq"
)

var unsupported = &driver.Error{Name: driver.Unsupported}

func TestDriver(t *testing.T) { drivertest.Run(t, gozeromq.New()) }

func open(t *testing.T, socketType string, options ...driver.Option) driver.Socket {
	t.Helper()
	socket, err := gozeromq.New().Open("", socketType, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	return socket
}

func frame(name, value string) driver.Option {
	return driver.Option{Name: name, Value: driver.Value{Bytes: []byte(value)}}
}

func number(name string, value int64) driver.Option {
	return driver.Option{Name: name, Value: driver.Value{Integer: value}}
}

func TestTimesAreNumbersOfMilliseconds(t *testing.T) {
	for _, option := range []driver.Option{number("SNDTIMEO", -1), frame("CONNECT_TIMEOUT", "1")} {
		_, err := gozeromq.New().Open("", "PUSH", []driver.Option{option})
		if !errors.Is(err, &driver.Error{Name: driver.Invalid}) {
			t.Errorf("%s: %v", option.Name, err)
		}
	}
	if err := open(t, "PUSH").Set(number("SNDTIMEO", 1)); !errors.Is(err, unsupported) {
		t.Errorf("late: %v", err)
	}
}

// The library tries eleven times; the time between two of them is its RECONNECT_IVL.
func TestTheTimeBetweenTwoAttemptsActs(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close()
	start := time.Now()
	socket := open(t, "PAIR", number("RECONNECT_IVL", 10))
	if err := socket.Connect("tcp://" + listener.Addr().String()); err == nil {
		t.Fatal("connected to nobody")
	}
	if took := time.Since(start); took < 100*time.Millisecond || took > time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestAProxyWithAPubIsNotTheLibrarys(t *testing.T) {
	library := gozeromq.New()
	sub, pub := open(t, "SUB"), open(t, "PUB")
	if library.Proxy(sub, pub) != nil || library.Proxy(open(t, "PULL"), open(t, "PUSH")) == nil {
		t.Error("a PUB makes it spin, others do not")
	}
}

func TestOptionsThatTheLibrarySwallowsAreUnsupported(t *testing.T) {
	for _, c := range []struct {
		socketType string
		option     driver.Option
	}{
		{"PULL", frame("SUBSCRIBE", "a")},
		{"DEALER", frame("ROUTING_ID", "late")},
		{"PUSH", driver.Option{Name: "SNDHWM", Value: driver.Value{Integer: 1}}},
	} {
		if err := open(t, c.socketType).Set(c.option); !errors.Is(err, unsupported) {
			t.Errorf("%s %s: %v", c.socketType, c.option.Name, err)
		}
	}
}

func TestOptionsThatAct(t *testing.T) {
	open(t, "DEALER", frame("ROUTING_ID", "me"))
	open(t, "REQ", frame("PLAIN_USERNAME", "user"), frame("PLAIN_PASSWORD", "secret"))
	open(t, "PUSH", number("AUTO_RECONNECT", 1), number("SNDTIMEO", 100), number("CONNECT_TIMEOUT", 100), number("RECONNECT_IVL", 0))
	sub := open(t, "SUB", frame("SUBSCRIBE", "a"))
	if err := sub.Set(frame("UNSUBSCRIBE", "a")); err != nil {
		t.Error(err)
	}
}

func TestAReceiveThatTheSocketTypeLacksIsUnsupported(t *testing.T) {
	for _, socketType := range []string{"PUB", "PUSH"} {
		err := open(t, socketType).Receive(time.Now().Add(time.Second), func(driver.Message) bool { return false })
		if !errors.Is(err, unsupported) {
			t.Errorf("%s: %v", socketType, err)
		}
	}
}

func TestCloseEndsAConnectThatIsStillTrying(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = listener.Close() // nobody listens there any more
	trying, err := gozeromq.New().Open("", "PAIR", nil)
	if err != nil {
		t.Fatal(err)
	}
	time.AfterFunc(20*time.Millisecond, func() { _ = trying.Close() })
	start := time.Now()
	if err := trying.Connect("tcp://" + listener.Addr().String()); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("got %v", err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("it took %v", took)
	}
}
