package drivertest

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// patience is far more than anything here takes.
const patience = 10 * time.Second

func soon() time.Time { return time.Now().Add(patience) }

// pair opens two connected PAIR sockets and lets one message through, so that they know each other.
func pair(t *testing.T, library driver.Library, endpoint string) (left, right driver.Socket) {
	t.Helper()
	left, right = openPair(t, library)
	link(t, left, right, endpoint)
	return left, right
}

func openPair(t *testing.T, library driver.Library) (left, right driver.Socket) {
	t.Helper()
	left, err := library.Open("pair", "PAIR", nil)
	if err != nil {
		t.Fatal(err)
	}
	right, err = library.Open("pair", "PAIR", nil)
	if err != nil {
		t.Fatal(err)
	}
	return left, right
}

func link(t *testing.T, left, right driver.Socket, endpoint string) {
	t.Helper()
	actual, err := left.Bind(endpoint)
	if err != nil {
		t.Fatalf("bind %s: %v", endpoint, err)
	}
	if strings.Contains(actual, "*") {
		t.Fatalf("bind answers with a wildcard: %s", actual)
	}
	if err := right.Connect(actual); err != nil {
		t.Fatalf("connect %s: %v", actual, err)
	}
	send(t, right, driver.Message{[]byte("hello")})
	receive(t, left)
}

// shut closes sockets. A complaint of the library is not the driver's.
func shut(t *testing.T, sockets ...driver.Socket) {
	t.Helper()
	for _, socket := range sockets {
		err := socket.Close()
		switch {
		case err == nil:
		case errors.Is(err, &driver.Error{Name: driver.Failed}):
			t.Logf("the library's close: %v", err)
		default:
			t.Errorf("close: %v", err)
		}
	}
}

// into collects count messages.
func into(messages *[]driver.Message, count int) driver.Sink {
	return func(message driver.Message) bool {
		*messages = append(*messages, message)
		return len(*messages) < count
	}
}

func send(t *testing.T, socket driver.Socket, message driver.Message) {
	t.Helper()
	if sent, err := socket.Send(soon(), "", driver.One(message)); sent != 1 || err != nil {
		t.Fatalf("send: %d, %v", sent, err)
	}
}

func receive(t *testing.T, socket driver.Socket) driver.Message {
	t.Helper()
	var got []driver.Message
	if err := socket.Receive(soon(), into(&got, 1)); err != nil || len(got) != 1 {
		t.Fatalf("receive: %v, %v", got, err)
	}
	return got[0]
}

func same(t *testing.T, got, want driver.Message) {
	t.Helper()
	if !slices.EqualFunc(got, want, bytes.Equal) {
		t.Fatalf("got %q, want %q", got, want)
	}
}
