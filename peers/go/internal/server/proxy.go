package server

import (
	"math"
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/rpc"
	"zmq-interop/peers/go/internal/workload"
)

// The workload proxy, and the method that steers it.

// steering is the proxy that runs with this socket as its frontend, if one does.
type steering struct {
	mu    sync.Mutex
	proxy driver.Proxy
}

func (s *steering) set(proxy driver.Proxy) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.proxy = proxy
}

func (s *steering) get() driver.Proxy {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proxy
}

// proxyBetween gives the library's own proxy where it has one that can be used, else ours.
func (s *Server) proxyBetween(front, back *handle, deadline time.Time) driver.Proxy {
	if library, ok := s.library.(driver.Proxier); ok {
		if proxy := library.Proxy(front.socket, back.socket); proxy != nil {
			return proxy
		}
	}
	return workload.Loop{Front: front.atWork(), Back: back.atWork(), Deadline: deadline}
}

func proxy(s *Server, params *rpc.Params) (task, error) {
	params.Must("backend")
	number := params.Integer("backend", math.MinInt64, math.MaxInt64, 0)
	deadline := workloadDeadline(params)
	front, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	back, err := s.handles.get(number)
	if err != nil {
		return nil, err
	}
	if front == back {
		return nil, driver.ErrInvalid("a proxy needs two sockets")
	}
	turns := []*turn{front.sends.join(), front.receives.join(), back.sends.join(), back.receives.join()}
	began := false
	run := work(deadline, front, turns, func(socket workload.Socket) (*driver.Passed, error) {
		began = true
		proxy := s.proxyBetween(front, back, deadline)
		front.steering.set(proxy)
		defer front.steering.set(nil)
		return workload.Proxy(proxy, socket, back.atWork(), deadline)
	})
	return func() (any, error) {
		result, err := run()
		if err != nil && !began {
			err = &partial{err, members(driver.Passed{})}
		}
		return result, err
	}, nil
}

func steer(s *Server, params *rpc.Params) (task, error) {
	command := params.Choice("command", driver.Pause, driver.Resume, driver.Terminate)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	return func() (any, error) {
		proxy := entry.steering.get()
		if proxy == nil {
			return nil, &driver.Error{Name: driver.State, Text: "no proxy runs with this frontend"}
		}
		if able, ok := proxy.(driver.Steerable); ok {
			return nil, able.Steer(command)
		}
		return nil, driver.ErrUnsupported("the library's proxy takes no commands")
	}, nil
}
