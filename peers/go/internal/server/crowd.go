package server

import (
	"slices"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/rpc"
	"zmq-interop/peers/go/internal/workload"
)

// The workloads with many workers: swarm and callers, a socket each, and share, all on one socket.

const maxWorkers = 10_000

func workers(params *rpc.Params) int {
	params.Must("workers")
	return int(params.Integer("workers", 1, maxWorkers, 1))
}

func swarm(s *Server, params *rpc.Params) (task, error) {
	params.Must("context", "type", "endpoint")
	context, socketType := params.Text("context", ""), params.Text("type", "")
	endpoint := params.Text("endpoint", "")
	workers := workers(params)
	stream, _ := stream(params)
	deadline := workloadDeadline(params)
	if err := params.Done(); err != nil {
		return nil, err
	}
	if context == "" {
		return nil, driver.ErrInvalid("a swarm needs a named context")
	}
	if _, err := s.endpoints.forConnect(endpoint, s.endpoints.transports); err != nil {
		return nil, err
	}
	if socketType == rawType {
		return nil, driver.ErrUnsupported("RAW has no contexts")
	}
	return func() (any, error) {
		result, err := workload.Swarm(deadline, workers, stream, func() (*workload.Member, error) {
			return s.member(context, socketType, endpoint, deadline)
		})
		if err != nil {
			return nil, &partial{err, members(result)}
		}
		return result, nil
	}, nil
}

// member opens a socket of a swarm. It is a socket like any other, with a handle that nobody is told, so
// that it counts and that quit closes it. The default LINGER of 0 would throw away what has just been
// sent, so a member lingers for as long as the workload may last.
func (s *Server) member(context, socketType, endpoint string, deadline time.Time) (*workload.Member, error) {
	var options []driver.Option
	lingers := slices.Contains(s.about.Options, "LINGER")
	if lingers {
		options = append(options, linger(max(0, time.Until(deadline))))
	}
	socket, err := s.library.Open(context, socketType, options)
	if err != nil {
		return nil, err
	}
	entry, ok := s.handles.add(socketType, socket)
	if !ok {
		_ = socket.Close()
		return nil, driver.ErrClosed
	}
	return &workload.Member{
		Socket:  entry.atWork(),
		Connect: func() error { return socket.Connect(endpoint) },
		Leave: func(discard bool) {
			if discard && lingers {
				_ = socket.Set(linger(0))
			}
			if _, err := s.handles.retire(entry.number); err == nil { // else quit has come
				_ = socket.Close()
				s.handles.gone()
			}
		},
	}, nil
}

const maxClients = 100_000

func callers(s *Server, params *rpc.Params) (task, error) {
	params.Must("endpoint", "clients")
	job := workload.Calling{
		Type: params.Choice("type", "REQ", "DEALER"), Clients: int(params.Integer("clients", 1, maxClients, 1)),
		Count: count(params), Size: size(params, workload.MinSize),
		Patience: time.Duration(params.Patience(10_000)), Stop: s.left, Opened: s.handles.nameless,
	}
	endpoint := params.Text("endpoint", "")
	if err := params.Done(); err != nil {
		return nil, err
	}
	library, ok := s.library.(driver.Recruiter)
	if !ok {
		return nil, driver.ErrUnsupported("the peer has no callers for this library")
	}
	if _, err := s.endpoints.forConnect(endpoint, s.endpoints.transports); err != nil {
		return nil, err
	}
	return func() (any, error) {
		crews, err := library.Recruit(job.Type, endpoint, job.Clients)
		if err != nil {
			return nil, err
		}
		return workload.Callers(job, crews)
	}, nil
}

func linger(how time.Duration) driver.Option {
	return driver.Option{Name: "LINGER", Value: driver.Value{Integer: how.Milliseconds()}}
}

// share takes the turns of both directions: while others use the socket, it is not its owner's.
func share(s *Server, params *rpc.Params) (task, error) {
	how := params.Choice("how", workload.Mutex, workload.Handover, workload.None)
	workers := workers(params)
	stream, _ := stream(params)
	deadline := workloadDeadline(params)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if _, ok := entry.socket.(driver.Lender); !ok {
		return nil, driver.ErrUnsupported("the library's socket cannot be shared")
	}
	turns := []*turn{entry.sends.join(), entry.receives.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Sent, error) {
		return workload.Share(socket, deadline, workers, stream, how)
	}), nil
}
