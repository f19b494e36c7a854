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
