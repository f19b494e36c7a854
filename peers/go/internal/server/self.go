package server

import (
	"maps"
	"os"
	"runtime"
	"slices"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/process"
	"zmq-interop/peers/go/internal/rpc"
)

// The methods about the peer itself.

// describe adds to a library's capabilities what the server does for every library.
func describe(about driver.About) driver.About {
	about.SocketTypes = append(slices.Clone(about.SocketTypes), rawType)
	about.Features = append(slices.Clone(about.Features), "dump", "timer", "swarm")
	about.Workloads = slices.Sorted(maps.Keys(workloads))
	return about
}

func newEndpoints(workdir string, transports []string) *endpoints {
	return &endpoints{workdir: workdir, pid: os.Getpid(), transports: transports}
}

func hello(s *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		return struct {
			Contract int `json:"contract"`
			driver.About
			Runtime string `json:"runtime"`
			OS      string `json:"os"`
			Arch    string `json:"arch"`
			PID     int    `json:"pid"`
			Workdir string `json:"workdir"`
		}{1, s.about, runtime.Version(), runtime.GOOS, runtime.GOARCH, os.Getpid(), s.workdir}, nil
	}, nil
}

func stats(s *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		counts := process.Counts()
		counts["sockets"] = int64(s.handles.count())
		counts["contexts"] = int64(s.library.Contexts())
		counts["goroutines"] = int64(runtime.NumGoroutine())
		return counts, nil
	}, nil
}

// maxDump keeps a dump within a line, whatever its characters become in JSON.
const maxDump = rpc.MaxLine / 2

func dump(_ *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		text := make([]byte, maxDump)
		return map[string]any{"text": string(text[:runtime.Stack(text, true)])}, nil
	}, nil
}

// quit answers; Serve returns after it.
func quit(_ *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) { return nil, nil }, nil
}
