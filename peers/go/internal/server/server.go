// Package server is the contract over any driver: it reads requests, keeps the sockets, and answers.
// It knows no ZeroMQ library.
package server

import (
	"encoding/json"
	"errors"
	"io"
	"sync"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/rpc"
)

// Server answers requests about the sockets of one library.
type Server struct {
	library   driver.Library
	about     driver.About
	workdir   string
	endpoints *endpoints
	handles   handles
	responses *rpc.Responses

	gate    sync.Mutex
	leaving bool           // no call starts any more
	left    chan struct{}  // closed when leaving
	calls   sync.WaitGroup // in progress

	broken    chan struct{} // closed when a response cannot be written any more
	breakOnce sync.Once
}

// New makes a server that writes its responses to out. Its sockets' files go below workdir.
func New(library driver.Library, workdir string, out io.Writer) *Server {
	s := &Server{
		library:   library,
		about:     describe(library.About()),
		workdir:   workdir,
		responses: rpc.NewResponses(out),
		left:      make(chan struct{}),
		broken:    make(chan struct{}),
	}
	s.endpoints = newEndpoints(workdir, s.about.Transports)
	return s
}

// task is the part of a call that may wait. Its result is nil for {}.
type task func() (result any, err error)

// method reads the parameters of a call and takes its place among others. It never waits: methods run
// one after another in the order of the requests, their tasks beside one another.
type method func(s *Server, params *rpc.Params) (task, error)

// Serve reads requests until the end of input, or a quit, or until its responses reach nobody.
func (s *Server) Serve(in io.Reader) {
	lines := rpc.NewLines(in)
	for {
		line, err := lines.Next()
		if errors.Is(err, rpc.ErrTooLong) {
			s.answer(json.RawMessage("null"), nil, &rpc.Error{Code: rpc.CodeRequest, Message: err.Error()})
			continue
		}
		if err != nil {
			return
		}
		request, failure := rpc.Parse(line)
		if failure != nil {
			s.answer(request.ID, nil, failure)
			continue
		}
		if s.call(request) && request.Method == "quit" {
			return
		}
	}
}

// call starts a request, and reports whether it could.
func (s *Server) call(request rpc.Request) bool {
	method, ok := methods[request.Method]
	if !ok {
		s.answer(request.ID, nil, &rpc.Error{Code: rpc.CodeMethod, Message: "no method " + request.Method})
		return false
	}
	task, err := method(s, request.Params)
	if err != nil {
		s.answer(request.ID, nil, failure(err))
		return false
	}
	s.gate.Lock()
	defer s.gate.Unlock()
	if s.leaving {
		s.answer(request.ID, nil, failure(driver.ErrClosed))
		return false
	}
	s.calls.Add(1)
	go func() {
		defer s.calls.Done()
		result, err := task()
		if err != nil {
			s.answer(request.ID, nil, failure(err))
			return
		}
		s.answer(request.ID, result, nil)
	}()
	return true
}

// answer writes a response.
func (s *Server) answer(id json.RawMessage, result any, failure *rpc.Error) {
	if s.responses.Write(id, result, failure) != nil {
		s.breakOnce.Do(func() { close(s.broken) })
	}
}

// Broken is closed when a response could not be written: nobody listens any more.
func (s *Server) Broken() <-chan struct{} { return s.broken }

// Close closes every socket, waits for the calls in progress, and so may take as long as the library.
func (s *Server) Close() {
	s.gate.Lock()
	s.leaving = true
	close(s.left)
	s.gate.Unlock()
	var closing sync.WaitGroup
	for _, entry := range s.handles.retireAll() {
		closing.Add(1)
		go func() {
			defer closing.Done()
			_ = entry.socket.Close()
			s.handles.gone()
		}()
	}
	closing.Wait()
	s.calls.Wait()
	if library, ok := s.library.(io.Closer); ok {
		_ = library.Close()
	}
}
