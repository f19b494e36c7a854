package server

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"sync/atomic"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// fakeLibrary has sockets that send to themselves. A LOOP holds one message; a STUCK never closes.
type fakeLibrary struct{ contexts atomic.Int64 }

func (l *fakeLibrary) About() driver.About {
	return driver.About{
		Peer: "peer-fake 1", Implementation: "fake", Version: "1", Library: "fake 1",
		Capabilities: driver.Capabilities{
			SocketTypes: []string{"LOOP", "STUCK"},
			Transports:  []string{"tcp", "ipc", "ipc-abstract", "inproc"},
			SendPaths:   []string{"Send"},
		},
	}
}

func (l *fakeLibrary) Contexts() int { return int(l.contexts.Load()) }

func (l *fakeLibrary) Open(_, socketType string, options []driver.Option) (driver.Socket, error) {
	if socketType != "LOOP" && socketType != "STUCK" {
		return nil, driver.ErrUnsupported("no type " + socketType)
	}
	l.contexts.Add(1)
	s := &fakeSocket{
		library: l, stuck: socketType == "STUCK", options: make(map[string]driver.Value),
		loop: make(chan driver.Message, 1), closed: make(chan struct{}),
	}
	for _, option := range options {
		_ = s.Set(option)
	}
	return s, nil
}

type fakeSocket struct {
	library *fakeLibrary
	stuck   bool
	options map[string]driver.Value
	loop    chan driver.Message
	closed  chan struct{}
}

func (s *fakeSocket) Bind(endpoint string) (string, error) { return endpoint, nil }
func (s *fakeSocket) Connect(string) error {
	return &driver.Error{Name: driver.Failed, Errno: 111, Text: "refused"}
}
func (s *fakeSocket) Set(option driver.Option) error {
	s.options[option.Name] = option.Value
	return nil
}
func (s *fakeSocket) Get(name string) (driver.Value, error) { return s.options[name], nil }

func (s *fakeSocket) expired(deadline time.Time) <-chan time.Time {
	if deadline.IsZero() {
		return nil
	}
	return time.After(time.Until(deadline))
}

func (s *fakeSocket) Send(deadline time.Time, _ string, next driver.Source) (sent int, err error) {
	for message, ok := next(); ok; message, ok = next() {
		select {
		case s.loop <- message:
			sent++
		case <-s.closed:
			return sent, driver.ErrClosed
		case <-s.expired(deadline):
			return sent, driver.ErrTimeout
		}
	}
	return sent, nil
}

func (s *fakeSocket) Receive(deadline time.Time, take driver.Sink) error {
	for {
		select {
		case message := <-s.loop:
			if !take(message) {
				return nil
			}
		case <-s.closed:
			return driver.ErrClosed
		case <-s.expired(deadline):
			return driver.ErrTimeout
		}
	}
}

func (s *fakeSocket) Abandon() { close(s.closed) }

func (s *fakeSocket) Close() error {
	close(s.closed)
	if s.stuck {
		select {}
	}
	s.library.contexts.Add(-1)
	return nil
}

// peer is a server and the harness's ends of its pipes.
type peer struct {
	t       *testing.T
	server  *Server
	in      *io.PipeWriter
	out     *bufio.Reader
	served  chan struct{}
	answers map[string]string // that came before they were asked for
	waited  time.Duration     // of the last error that told
}

func newPeer(t *testing.T) *peer {
	t.Helper()
	inRead, inWrite := io.Pipe()
	outRead, outWrite := io.Pipe()
	p := &peer{
		t: t, server: New(new(fakeLibrary), "/work", outWrite), in: inWrite,
		out: bufio.NewReader(outRead), served: make(chan struct{}), answers: make(map[string]string),
	}
	go func() {
		defer close(p.served)
		p.server.Serve(inRead)
	}()
	t.Cleanup(func() {
		_ = inWrite.Close()
		go func() { _, _ = io.Copy(io.Discard, outRead) }()
		<-p.served
		p.server.Close()
	})
	return p
}

// write writes a line.
func (p *peer) write(line string) {
	p.t.Helper()
	if _, err := io.WriteString(p.in, line+"\n"); err != nil {
		p.t.Fatal(err)
	}
}

// start sends a request.
func (p *peer) start(id, method, params string) {
	p.t.Helper()
	p.write(fmt.Sprintf(`{"jsonrpc":"2.0","id":%q,"method":%q,"params":%s}`, id, method, params))
}

// wait gives the result of a request, or its error code and name.
func (p *peer) wait(id string) string {
	p.t.Helper()
	for p.answers[id] == "" {
		got, answer := p.read()
		p.answers[got] = answer
	}
	answer := p.answers[id]
	delete(p.answers, id)
	return answer
}

// read reads one answer.
func (p *peer) read() (id, answer string) {
	p.t.Helper()
	line, err := p.out.ReadBytes('\n')
	if err != nil {
		p.t.Fatal(err)
	}
	var response struct {
		JSONRPC string
		ID      any
		Result  json.RawMessage
		Error   *struct {
			Code int
			Data map[string]any
		}
	}
	if err := json.Unmarshal(line, &response); err != nil || response.JSONRPC != "2.0" {
		p.t.Fatalf("%s: %v", line, err)
	}
	if response.Error != nil {
		evidence := response.Error.Data
		name := evidence["name"]
		delete(evidence, "name")
		delete(evidence, "text")
		if waited, ok := evidence["waited_ns"].(float64); ok {
			p.waited = time.Duration(waited)
			delete(evidence, "waited_ns")
		}
		rest, _ := json.Marshal(evidence)
		if len(evidence) == 0 {
			rest = nil
		}
		return fmt.Sprint(response.ID), fmt.Sprintf("%d %v%s", response.Error.Code, name, rest)
	}
	return fmt.Sprint(response.ID), string(response.Result)
}

// call makes a request and waits for its answer.
func (p *peer) call(method, params string) string {
	p.t.Helper()
	p.start("call", method, params)
	return p.wait("call")
}

// expect checks the answer of a call.
func (p *peer) expect(method, params, want string) {
	p.t.Helper()
	if got := p.call(method, params); got != want {
		p.t.Errorf("%s %s\n got %s\nwant %s", method, params, got, want)
	}
}
