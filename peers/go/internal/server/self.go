package server

import (
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/process"
	"zmq-interop/peers/go/internal/rpc"
)

// The methods about the peer itself.

// describe adds to a library's capabilities what the server does for every library.
func describe(about driver.About) driver.About {
	about.SocketTypes = append(slices.Clone(about.SocketTypes), rawType)
	about.Features = append(slices.Clone(about.Features), "dump", "timer", "swarm", "abandon", "beside", "runtime")
	about.Workloads = slices.Sorted(maps.Keys(workloads))
	return about
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
	collect := params.Flag("collect")
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		if collect {
			runtime.GC() // the first of two: it takes both to empty a pool, and finalizers run in between
			debug.FreeOSMemory()
		}
		counts := process.Counts()
		counts["sockets"] = s.handles.count()
		counts["contexts"] = s.library.Contexts()
		counts["goroutines"] = runtime.NumGoroutine()
		return counts, nil
	}, nil
}

// maxDump and maxHandles keep a dump within a line, whatever its characters become in JSON.
const (
	maxDump    = rpc.MaxLine / 4
	maxHandles = rpc.MaxLine * 3 / 8
)

func dump(_ *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		text := make([]byte, maxDump)
		result := map[string]any{"text": string(text[:runtime.Stack(text, true)])}
		if handles := process.Handles(); handles != nil {
			result["handles"] = cut(handles, maxHandles)
		}
		return result, nil
	}, nil
}

// cut leaves out what goes beyond so many bytes, and says so.
func cut(lines []string, room int) []string {
	for i, line := range lines {
		if room -= len(line) + len(`"",`); room < 0 {
			return append(lines[:i:i], fmt.Sprintf("… and %d more", len(lines)-i))
		}
	}
	return lines
}

// quit answers; Serve returns after it.
func quit(_ *Server, params *rpc.Params) (task, error) {
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) { return nil, nil }, nil
}
