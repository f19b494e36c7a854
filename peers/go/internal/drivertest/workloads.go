package drivertest

import (
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/workload"
)

// serve gives a bound socket that answers so often.
func serve(t *testing.T, library driver.Library, socketType string, count int64) (socket driver.Socket, endpoint string, echoed chan error) {
	t.Helper()
	socket, err := library.Open("", socketType, nil)
	if err == nil {
		endpoint, err = socket.Bind("tcp://127.0.0.1:*")
	}
	if err != nil {
		t.Fatal(err)
	}
	echoed = make(chan error, 1)
	go func() {
		_, err := workload.Echo(workload.Socket{Socket: socket, Type: socketType}, soon(), count)
		echoed <- err
	}()
	return socket, endpoint, echoed
}

func pings(t *testing.T, library driver.Library) {
	for _, types := range [][2]string{{"REQ", "REP"}, {"DEALER", "DEALER"}} {
		for _, rate := range []float64{0, 2000} {
			server, endpoint, echoed := serve(t, library, types[1], 60)
			client, err := library.Open("", types[0], nil)
			if err == nil {
				err = client.Connect(endpoint)
			}
			if err != nil {
				t.Fatal(err)
			}
			start := time.Now()
			done, err := workload.Ping(workload.Socket{Socket: client, Type: types[0]}, soon(), workload.Pings{
				Stream: workload.Stream{Count: 50, Size: 64}, Warmup: 10, Rate: rate,
			})
			if err != nil || done.Count != 50 || done.Wrong != 0 {
				t.Errorf("%v at %v: %+v, %v", types, rate, done, err)
			}
			if took := time.Since(start); rate > 0 && took < 29*time.Millisecond {
				t.Errorf("%v at %v took %v", types, rate, took)
			}
			if err := <-echoed; err != nil {
				t.Error(err)
			}
			shut(t, client, server)
		}
	}
}

// calls has more clients than there are crews.
func calls(t *testing.T, library driver.Library) {
	const clients, count = 70, 3
	able, ok := library.(driver.Recruiter)
	if !ok {
		t.Skip("no callers")
	}
	call := func(asks, answers string, answered int64, patience time.Duration) workload.Called {
		server, endpoint, echoed := serve(t, library, answers, answered)
		crews, err := able.Recruit(asks, endpoint, clients)
		if err != nil {
			t.Fatal(err)
		}
		opened := make(chan int, 3*clients)
		done, err := workload.Callers(workload.Calling{
			Type: asks, Clients: clients, Count: count, Size: 64, Patience: patience,
			Stop: make(chan struct{}), Opened: func(more int) { opened <- more },
		}, crews)
		if err != nil {
			t.Error(err)
		}
		if err := <-echoed; err != nil {
			t.Error(err)
		}
		_ = server.Close() // a library may complain of clients that are gone
		close(opened)
		open := 0
		for more := range opened {
			open += more
		}
		if open != 0 {
			t.Errorf("%d sockets are left", open)
		}
		return done
	}
	for _, types := range [][2]string{{"REQ", "ROUTER"}, {"DEALER", "REP"}} {
		done := call(types[0], types[1], clients*(count+1), patience)
		if done.Answered != clients*count || len(done.Errors) != 0 {
			t.Errorf("%v: %+v", types, done)
		}
	}
	if done := call("REQ", "ROUTER", 0, 50*time.Millisecond); done.Answered != 0 || done.Errors[driver.Timeout] != clients {
		t.Errorf("unanswered: %+v", done)
	}
}
