package server

import (
	"encoding/json"
	"math"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/frames"
	"zmq-interop/peers/go/internal/rpc"
	"zmq-interop/peers/go/internal/workload"
)

// The methods of section 5. A workload takes its turn on a socket like the sends and recvs that it
// stands for.

// workloads are the names for hello; their methods join the others.
var workloads = map[string]method{
	"echo": echo, "flood": flood, "pace": pace, "drain": drain, "ping": ping, "proxy": proxy,
}

// patience of a workload without a timeout, in milliseconds.
const workloadTimeout = 60_000

func workloadDeadline(params *rpc.Params) time.Time {
	return params.Patience(workloadTimeout).Deadline()
}

func count(params *rpc.Params) int64 {
	params.Must("count")
	return params.Integer("count", 1, math.MaxInt64, 1)
}

func strip(params *rpc.Params) int { return int(params.Integer("strip", 0, maxMessages, 0)) }

// stream reads what flood, pace and ping say about their messages. The prefix is made when the work
// starts.
func stream(params *rpc.Params) (s workload.Stream, prefix frames.Message) {
	s.Count = count(params)
	s.Size = size(params, workload.MinSize)
	return s, params.Message("prefix")
}

// stamped reads what flood and pace say.
func stamped(params *rpc.Params) (s workload.Stream, prefix frames.Message) {
	s, prefix = stream(params)
	s.Source = params.Unsigned("source", 0)
	if s.Stamp = params.Flag("stamp"); s.Stamp {
		_ = size(params, workload.MinStampedSize)
	}
	return s, prefix
}

func size(params *rpc.Params, least int64) int {
	params.Must("size")
	return int(params.Integer("size", least, frames.MaxSize, least))
}

// work is the task of a workload: it waits for its turns, then runs.
func work[R any](deadline time.Time, entry *handle, turns []*turn, run func(workload.Socket) (R, error)) task {
	return func() (any, error) {
		for _, turn := range turns {
			defer turn.leave()
		}
		var result R
		var err error
		for i := 0; err == nil && i < len(turns); i++ {
			err = turns[i].wait(deadline, entry.closed)
		}
		if err == nil {
			result, err = run(entry.atWork())
		}
		if err != nil {
			return nil, &partial{err, members(result)}
		}
		return result, nil
	}
}

func (h *handle) atWork() workload.Socket {
	return workload.Socket{Socket: h.socket, Type: h.socketType, Closed: h.closed}
}

// members are a result's members, to go with an error.
func members(result any) (all map[string]any) {
	if text, err := json.Marshal(result); err == nil {
		_ = json.Unmarshal(text, &all)
	}
	return all
}

func echo(s *Server, params *rpc.Params) (task, error) {
	count, deadline := count(params), workloadDeadline(params)
	sized, bytes := params.Has("size"), int(params.Integer("size", 1, frames.MaxSize, 1))
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if isRaw := entry.socketType == rawType; isRaw != sized {
		return nil, driver.ErrInvalid("echo takes size on a RAW socket, and there only")
	}
	turns := []*turn{entry.receives.join(), entry.sends.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Echoed, error) {
		socket.Bytes = bytes
		return workload.Echo(socket, deadline, count)
	}), nil
}

func flood(s *Server, params *rpc.Params) (task, error) {
	stream, prefix := stamped(params)
	deadline := workloadDeadline(params)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	turns := []*turn{entry.sends.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Sent, error) {
		stream.Prefix = prefix.Frames()
		return workload.Flood(socket, deadline, stream)
	}), nil
}

func pace(s *Server, params *rpc.Params) (task, error) {
	params.Must("rate")
	stream, prefix := stamped(params)
	rate := params.Positive("rate", 1)
	deadline := workloadDeadline(params)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	turns := []*turn{entry.sends.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Paced, error) {
		stream.Prefix = prefix.Frames()
		return workload.Pace(socket, deadline, stream, rate)
	}), nil
}

func drain(s *Server, params *rpc.Params) (task, error) {
	count, strip, deadline := count(params), strip(params), workloadDeadline(params)
	stamped := params.Flag("stamped")
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if entry.socketType == rawType {
		return nil, driver.ErrUnsupported("a RAW socket has no messages to drain")
	}
	turns := []*turn{entry.receives.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Drained, error) {
		return workload.Drain(socket, deadline, count, strip, stamped)
	}), nil
}

func ping(s *Server, params *rpc.Params) (task, error) {
	stream, prefix := stream(params)
	pings := workload.Pings{
		Stream: stream, Strip: strip(params), Warmup: params.Integer("warmup", 0, math.MaxInt32, 0),
		Rate: params.Positive("rate", 0),
	}
	deadline := workloadDeadline(params)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if entry.socketType == rawType && (len(prefix) > 0 || pings.Strip > 0) {
		return nil, driver.ErrInvalid("a message of a RAW socket has no frames to prefix or strip")
	}
	turns := []*turn{entry.sends.join(), entry.receives.join()}
	return work(deadline, entry, turns, func(socket workload.Socket) (workload.Pinged, error) {
		socket.Bytes = pings.Size
		pings.Prefix = prefix.Frames()
		return workload.Ping(socket, deadline, pings)
	}), nil
}
