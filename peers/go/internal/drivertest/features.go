package drivertest

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Checks of what a library may be able to do beyond the rest. A library that cannot is left alone.

func waits(t *testing.T, library driver.Library) {
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	const wait = 100 * time.Millisecond
	err := left.Receive(time.Now().Add(wait), into(new([]driver.Message), 1))
	if waited := driver.Wait(err); waited < wait/2 || // a busy machine may be late with the call's beginning
		waited > patience/2 {
		t.Errorf("waited %v, %v", waited, err)
	}
}

func terminates(t *testing.T, library driver.Library) {
	able, ok := library.(driver.Terminator)
	if !ok {
		t.Skip("no terminator")
	}
	invalid := &driver.Error{Name: driver.Invalid}
	if err := able.Terminate("none"); !errors.Is(err, invalid) {
		t.Errorf("a context that never was: %v", err)
	}
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	ends := make(chan error, 2)
	go func() { ends <- left.Receive(soon(), into(new([]driver.Message), 1)) }()
	go func() { ends <- right.Receive(time.Time{}, into(new([]driver.Message), 1)) }()
	time.Sleep(20 * time.Millisecond) // let them wait; the test holds also if they don't
	for range 2 {
		if err := able.Terminate("pair"); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := <-ends; !errors.Is(err, driver.ErrClosed) {
			t.Errorf("a waiting receive: %v", err)
		}
	}
	if err := left.Receive(soon(), into(new([]driver.Message), 1)); !errors.Is(err, driver.ErrClosed) {
		t.Errorf("a later receive: %v", err)
	}
	shut(t, left)
	if n := library.Contexts(); n != 1 {
		t.Errorf("contexts with a socket still open: %d", n)
	}
	shut(t, right)
	if err := able.Terminate("pair"); !errors.Is(err, invalid) {
		t.Errorf("a context that is gone: %v", err)
	}
}

func lends(t *testing.T, library driver.Library) {
	const workers, each = 4, 250
	left, right := pair(t, library, "tcp://127.0.0.1:*")
	defer shut(t, left, right)
	able, ok := left.(driver.Lender)
	if !ok {
		t.Skip("no lender")
	}
	var got []driver.Message
	received := make(chan error, 1)
	go func() { received <- right.Receive(soon(), into(&got, workers*each)) }()
	err := able.Lend(make(chan struct{}), func(send func(driver.Message) error) error {
		var all sync.WaitGroup
		var lock sync.Mutex
		for worker := range workers {
			all.Add(1)
			go func() {
				defer all.Done()
				for i := range each {
					lock.Lock()
					if err := send(driver.Message{fmt.Appendf(nil, "%d-%d", worker, i)}); err != nil {
						t.Error(err)
					}
					lock.Unlock()
				}
			}()
		}
		all.Wait()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-received; err != nil {
		t.Fatal(err)
	}
	distinct := make(map[string]bool)
	for _, message := range got {
		distinct[string(message[0])] = true
	}
	if len(distinct) != workers*each {
		t.Errorf("%d distinct messages", len(distinct))
	}
	send(t, left, driver.Message{[]byte("after")})
	same(t, receive(t, right), driver.Message{[]byte("after")})
}

// betweenPairs runs the library's proxy between two PAIRs whose other ends it gives.
func betweenPairs(t *testing.T, library driver.Library) (ends, proxied [2]driver.Socket, proxy driver.Proxy) {
	t.Helper()
	able, ok := library.(driver.Proxier)
	if !ok {
		t.Skip("no proxier")
	}
	ends[0], proxied[0] = pair(t, library, "tcp://127.0.0.1:*")
	proxied[1], ends[1] = pair(t, library, "tcp://127.0.0.1:*")
	if proxy = able.Proxy(proxied[0], proxied[1]); proxy == nil {
		shut(t, ends[0], ends[1], proxied[0], proxied[1])
		t.Skip("the library's proxy cannot be used")
	}
	return ends, proxied, proxy
}

type run struct {
	passed *driver.Passed
	err    error
}

func start(proxy driver.Proxy, stop <-chan struct{}) chan run {
	ended := make(chan run, 1)
	go func() {
		passed, err := proxy.Run(stop)
		ended <- run{passed, err}
	}()
	return ended
}

func proxies(t *testing.T, library driver.Library) {
	ends, proxied, proxy := betweenPairs(t, library)
	defer shut(t, ends[0], ends[1], proxied[0], proxied[1])
	stop := make(chan struct{})
	ended := start(proxy, stop)
	for i := range 3 {
		send(t, ends[0], driver.Message{[]byte("to"), fmt.Append(nil, i)})
		same(t, receive(t, ends[1]), driver.Message{[]byte("to"), fmt.Append(nil, i)})
	}
	send(t, ends[1], driver.Message{[]byte("fro")})
	same(t, receive(t, ends[0]), driver.Message{[]byte("fro")})
	close(stop)
	if did := <-ended; did.err != nil || did.passed == nil || *did.passed != (driver.Passed{Forward: 3, Backward: 1}) {
		t.Errorf("%+v, %v", did.passed, did.err)
	}
	send(t, ends[0], driver.Message{[]byte("after")}) // nobody is left who takes it away
	same(t, receive(t, proxied[0]), driver.Message{[]byte("after")})
}

func closeEndsProxy(t *testing.T, library driver.Library) {
	ends, proxied, proxy := betweenPairs(t, library)
	ended := start(proxy, make(chan struct{}))
	send(t, ends[0], driver.Message{[]byte("x")})
	receive(t, ends[1])
	shut(t, proxied[1])
	select {
	case did := <-ended:
		if did.err != nil && !errors.Is(did.err, driver.ErrClosed) {
			t.Error(did.err)
		}
	case <-time.After(patience):
		t.Error("the proxy still runs")
	}
	shut(t, ends[0], ends[1], proxied[0])
}
