package server

import (
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/frames"
	"zmq-interop/peers/go/internal/process"
	"zmq-interop/peers/go/internal/rpc"
	"zmq-interop/peers/go/internal/workload"
)

// The methods of section 7. Those that need an ability of the library are unsupported without it.

var features = map[string]method{
	"timer": timer, "term": term, "monitor": monitor, "events": events, "zap": zap, "keypair": keypair,
	"swarm": swarm, "share": share, "steer": steer, "callers": callers, "abandon": abandon, "tune": tune,
	"beside": beside, "runtime": runtimeOf,
}

func timer(_ *Server, params *rpc.Params) (task, error) {
	wait := params.Milliseconds("ms")
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		start := time.Now()
		<-time.NewTimer(wait).C
		return map[string]any{"ns": time.Since(start).Nanoseconds()}, nil
	}, nil
}

func term(s *Server, params *rpc.Params) (task, error) {
	params.Must("context")
	context := params.Text("context", "")
	if err := params.Done(); err != nil {
		return nil, err
	}
	library, ok := s.library.(driver.Terminator)
	if !ok {
		return nil, driver.ErrUnsupported("the library cannot end a context under its sockets")
	}
	return func() (any, error) { return nil, library.Terminate(context) }, nil
}

// monitored finds the socket of a call about events.
func (s *Server) monitored(params *rpc.Params) (*handle, driver.Monitored, error) {
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, nil, err
	}
	able, ok := entry.socket.(driver.Monitored)
	if !ok {
		return nil, nil, driver.ErrUnsupported("the library records no events")
	}
	return entry, able, nil
}

func monitor(s *Server, params *rpc.Params) (task, error) {
	_, socket, err := s.monitored(params)
	if err != nil {
		return nil, err
	}
	return func() (any, error) { return nil, socket.Monitor() }, nil
}

func events(s *Server, params *rpc.Params) (task, error) {
	count := params.Integer("count", 1, maxMessages, 1)
	patience := params.Patience(ownRule)
	entry, socket, err := s.monitored(params)
	if err != nil {
		return nil, err
	}
	turn := entry.events.join()
	return func() (any, error) {
		defer turn.leave()
		deadline := patience.Deadline()
		happened := []driver.Event{}
		err := turn.wait(deadline, entry.closed)
		if err == nil {
			err = socket.Events(deadline, func(event driver.Event) bool {
				happened = append(happened, event)
				return int64(len(happened)) < count
			})
		}
		result := map[string]any{"events": happened}
		if err != nil {
			return nil, &partial{err, result}
		}
		return result, nil
	}, nil
}

func zap(s *Server, params *rpc.Params) (task, error) {
	params.Must("context")
	context := params.Text("context", "")
	policy := driver.Policy{Domain: params.Text("domain", ""), Plain: params.Secrets("plain")}
	policy.Curve, policy.Any = params.Keys("curve")
	if err := params.Done(); err != nil {
		return nil, err
	}
	library, ok := s.library.(driver.Authenticator)
	if !ok {
		return nil, driver.ErrUnsupported("the library has no ZAP")
	}
	if context == "" {
		return nil, driver.ErrInvalid("a ZAP handler needs a named context")
	}
	return func() (any, error) { return nil, library.Authenticate(context, policy) }, nil
}

func keypair(s *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	library, ok := s.library.(driver.KeyMaker)
	if !ok {
		return nil, driver.ErrUnsupported("the library has no CURVE")
	}
	return func() (any, error) {
		public, secret, err := library.Keypair()
		return map[string]any{"public": public, "secret": secret}, err
	}, nil
}

func tune(s *Server, params *rpc.Params) (task, error) {
	params.Must("context", "options")
	context, options := params.Text("context", ""), params.Options("options")
	if err := params.Done(); err != nil {
		return nil, err
	}
	library, ok := s.library.(driver.Tuner)
	if !ok {
		return nil, driver.ErrUnsupported("the library's contexts have no options")
	}
	if context == "" {
		return nil, driver.ErrInvalid("only a named context can be tuned")
	}
	return func() (any, error) { return nil, library.Tune(context, options) }, nil
}

// abandon lets go of a socket. What the driver has of it goes with the last call that uses it.
func abandon(s *Server, params *rpc.Params) (task, error) {
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if _, err := s.handles.retire(entry.number); err != nil {
		return nil, err
	}
	return func() (any, error) {
		defer s.handles.gone()
		if socket, ok := entry.socket.(driver.Abandoner); ok {
			socket.Abandon()
		}
		return nil, nil
	}, nil
}

// runtimeOf is the method "runtime".
func runtimeOf(_ *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) { return process.Runtime(), nil }, nil
}

func beside(s *Server, params *rpc.Params) (task, error) {
	how := params.Choice("how", workload.Spin, workload.Allocate, workload.Reuse)
	params.Must("threads")
	threads := int(params.Integer("threads", 1, maxWorkers, 1))
	wait := params.Milliseconds("ms")
	bytes := int(params.Integer("bytes", 1, frames.MaxSize, 64<<10))
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		return map[string]any{"rounds": workload.Beside(how, threads, bytes, wait, s.left)}, nil
	}, nil
}
