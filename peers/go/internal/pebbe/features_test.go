//go:build cgo

package pebbe_test

import (
	"errors"
	"runtime"
	"slices"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/pebbe"
)

// until collects events until one of that name has come.
func until(t *testing.T, socket driver.Socket, name string) (names []string) {
	t.Helper()
	err := socket.(driver.Monitored).Events(soon(), func(event driver.Event) bool {
		names = append(names, event.Name)
		return event.Name != name
	})
	if err != nil {
		t.Fatalf("%v, waiting for %s: %v", names, name, err)
	}
	return names
}

func TestAMonitorRecordsEventsInOrder(t *testing.T) {
	library := pebbe.New()
	pull, push := open(t, library, "", "PULL"), open(t, library, "", "PUSH")
	monitored := push.(driver.Monitored)
	if err := monitored.Events(time.Now(), nil); !errors.Is(err, named(driver.State)) {
		t.Errorf("before there is a monitor: %v", err)
	}
	endpoint, err := pull.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := monitored.Monitor(); err != nil {
			t.Fatal(err)
		}
	}
	if err := push.Connect(endpoint); err != nil {
		t.Fatal(err)
	}
	names := until(t, push, "HANDSHAKE_SUCCEEDED")
	if !slices.Equal(names, []string{"CONNECT_DELAYED", "CONNECTED", "HANDSHAKE_SUCCEEDED"}) {
		t.Errorf("got %v", names)
	}
	if err := monitored.Events(time.Now().Add(10*time.Millisecond), nil); !errors.Is(err, driver.ErrTimeout) {
		t.Errorf("without an event: %v", err)
	}
}

func TestCloseAndTheEndOfTheContextEndAWaitForEvents(t *testing.T) {
	library := pebbe.New()
	for name, end := range map[string]func(driver.Socket) error{
		"close":     driver.Socket.Close,
		"terminate": func(driver.Socket) error { return library.Terminate("c") },
	} {
		socket, err := library.Open("c", "PULL", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := socket.(driver.Monitored).Monitor(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() {
			ended <- socket.(driver.Monitored).Events(time.Time{}, func(driver.Event) bool { return true })
		}()
		if err := end(socket); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := <-ended; !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
		if name == "terminate" {
			_ = socket.Close()
		}
		if n := library.Contexts(); n != 0 {
			t.Errorf("%s: %d contexts", name, n)
		}
	}
}

func TestAZAPHandlerLetsInWhoIsListed(t *testing.T) {
	library := pebbe.New()
	secret, public := keys(t, library)
	mySecret, myPublic := keys(t, library)
	otherSecret, otherPublic := keys(t, library)
	policy := driver.Policy{Domain: "d", Plain: map[string]string{"user": "word"}, Curve: []string{myPublic}}
	if err := library.Authenticate("c", policy); err != nil {
		t.Fatal(err)
	}
	if n := library.Contexts(); n != 1 {
		t.Errorf("contexts with a handler and no socket: %d", n)
	}
	asPlain := func(user, password string) []driver.Option {
		return []driver.Option{frame("PLAIN_USERNAME", user), frame("PLAIN_PASSWORD", password)}
	}
	asCurve := func(secret, key string) []driver.Option {
		return []driver.Option{
			frame("CURVE_SECRETKEY", secret), frame("CURVE_PUBLICKEY", key), frame("CURVE_SERVERKEY", public),
		}
	}
	plain := []driver.Option{number("PLAIN_SERVER", 1)}
	curve := []driver.Option{number("CURVE_SERVER", 1), frame("CURVE_SECRETKEY", secret)}
	for claim, c := range map[string]struct {
		server, client []driver.Option
		domain, want   string
	}{
		"the user":         {plain, asPlain("user", "word"), "d", "HANDSHAKE_SUCCEEDED"},
		"a wrong password": {plain, asPlain("user", "sword"), "d", "HANDSHAKE_FAILED_AUTH"},
		"nobody":           {plain, asPlain("nobody", "word"), "d", "HANDSHAKE_FAILED_AUTH"},
		"the key":          {curve, asCurve(mySecret, myPublic), "d", "HANDSHAKE_SUCCEEDED"},
		"another key":      {curve, asCurve(otherSecret, otherPublic), "d", "HANDSHAKE_FAILED_AUTH"},
		"another domain":   {curve, asCurve(mySecret, myPublic), "e", "HANDSHAKE_FAILED_AUTH"},
		"no credentials":   {nil, nil, "d", "HANDSHAKE_FAILED_AUTH"},
	} {
		server, err := library.Open("c", "PULL", append(slices.Clone(c.server), frame("ZAP_DOMAIN", c.domain)))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = server.Close() }()
		if err := server.(driver.Monitored).Monitor(); err != nil {
			t.Fatal(err)
		}
		endpoint, err := server.Bind("tcp://127.0.0.1:*")
		if err != nil {
			t.Fatal(err)
		}
		if err := open(t, library, "", "PUSH", c.client...).Connect(endpoint); err != nil {
			t.Fatal(err)
		}
		t.Run(claim, func(t *testing.T) { until(t, server, c.want) })
	}
}

func keys(t *testing.T, library *pebbe.Library) (secret, public string) {
	t.Helper()
	public, secret, err := library.Keypair()
	if err != nil {
		t.Fatal(err)
	}
	return secret, public
}

func TestAHandlerThatNobodyNeedsEndsWithTheLibrary(t *testing.T) {
	library := pebbe.New()
	if err := library.Authenticate("c", driver.Policy{}); err != nil {
		t.Fatal(err)
	}
	if err := library.Close(); err != nil || library.Contexts() != 0 {
		t.Errorf("%v, %d contexts", err, library.Contexts())
	}
}

func TestAPausedProxyHoldsMessagesBack(t *testing.T) {
	library := pebbe.New()
	front, back := open(t, library, "c", "PULL"), open(t, library, "c", "PUSH")
	in, out := open(t, library, "", "PUSH"), open(t, library, "", "PULL")
	for inside, outside := range map[driver.Socket]driver.Socket{front: in, back: out} {
		endpoint, err := inside.Bind("tcp://127.0.0.1:*")
		if err != nil {
			t.Fatal(err)
		}
		if err := outside.Connect(endpoint); err != nil {
			t.Fatal(err)
		}
	}
	proxy := library.Proxy(front, back)
	if proxy == nil {
		t.Skip("this libzmq has no steerable proxy")
	}
	ended := make(chan driver.Passed, 1)
	go func() {
		passed, err := proxy.Run(make(chan struct{}))
		if err != nil {
			t.Error(err)
		}
		ended <- *passed
	}()
	pass := func(deadline time.Time) error {
		if _, err := in.Send(soon(), "", one([]byte("x"))); err != nil {
			t.Fatal(err)
		}
		return out.Receive(deadline, nothing)
	}
	if err := pass(soon()); err != nil {
		t.Fatal(err)
	}
	steer := func(command string) {
		t.Helper()
		if err := proxy.(driver.Steerable).Steer(command); err != nil {
			t.Fatalf("%s: %v", command, err)
		}
	}
	steer(driver.Pause)
	if err := pass(time.Now().Add(50 * time.Millisecond)); !errors.Is(err, driver.ErrTimeout) {
		t.Errorf("while it pauses: %v", err)
	}
	steer(driver.Resume)
	if err := out.Receive(soon(), nothing); err != nil {
		t.Errorf("after it: %v", err)
	}
	steer(driver.Terminate)
	if passed := <-ended; passed != (driver.Passed{Forward: 2}) {
		t.Errorf("%+v", passed)
	}
	if err := proxy.(driver.Steerable).Steer(driver.Pause); !errors.Is(err, named(driver.State)) {
		t.Errorf("after its end: %v", err)
	}
}

func TestAContextIsTunedBeforeItsFirstSocket(t *testing.T) {
	library := pebbe.New()
	tune := func(name string, value int64) error {
		return library.Tune("tuned", []driver.Option{{Name: name, Value: driver.Value{Integer: value}}})
	}
	if err := tune("MAX_SOCKETS", 2); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, nil, &driver.Error{Name: driver.Failed}} {
		socket, err := library.Open("tuned", "PULL", nil)
		if want == nil && err != nil || want != nil && !errors.Is(err, want) {
			t.Errorf("socket %d: %v", i, err)
		}
		if err == nil {
			defer func() { _ = socket.Close() }()
		}
	}
	if err := tune("IO_THREADS", 2); !errors.Is(err, &driver.Error{Name: driver.State}) {
		t.Errorf("afterwards: %v", err)
	}
	if err := tune("LINGER", 2); !errors.Is(err, &driver.Error{Name: driver.Unsupported}) {
		t.Errorf("another option: %v", err)
	}
}

// A talk's own timeouts are not the socket's.
func TestATalkLeavesTheTimeoutsAlone(t *testing.T) {
	library := pebbe.New()
	socket := open(t, library, "", "PULL")
	timeout := func() int64 {
		value, err := socket.Get("RCVTIMEO")
		if err != nil {
			t.Error(err)
		}
		return value.Integer
	}
	if err := socket.Set(driver.Option{Name: "RCVTIMEO", Value: driver.Value{Integer: 1234}}); err != nil {
		t.Fatal(err)
	}
	err := socket.(driver.Talker).Talk(time.Now().Add(100*time.Millisecond), func(with driver.Conversation) error {
		asked := make(chan int64, 1)
		go func() { asked <- timeout() }()
		_, err := with.Receive()
		if got := <-asked; got != 1234 {
			t.Errorf("inside: %d", got)
		}
		return err
	})
	if got := timeout(); got != 1234 || !errors.Is(err, driver.ErrTimeout) {
		t.Errorf("afterwards: %d, %v", got, err)
	}
}

func TestTheBindingClosesAnAbandonedSocket(t *testing.T) {
	library := pebbe.New()
	bind := func(endpoint string) (driver.Socket, string, error) {
		socket, err := library.Open("", "PULL", nil)
		if err != nil {
			t.Fatal(err)
		}
		endpoint, err = socket.Bind(endpoint)
		return socket, endpoint, err
	}
	abandoned, endpoint, err := bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	abandoned.(driver.Abandoner).Abandon()
	for end := soon(); time.Now().Before(end); {
		runtime.GC()
		again, _, err := bind(endpoint)
		_ = again.Close()
		if err == nil {
			return
		}
	}
	t.Error("the port is still taken")
}
