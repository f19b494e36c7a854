// Package raw is the contract's socket type RAW: one TCP or Unix connection without ZMTP.
package raw

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Socket implements driver.Socket over one connection.
type Socket struct {
	life  context.Context // until Close
	end   context.CancelFunc
	ready chan struct{} // closed when there is a connection

	begun atomic.Bool // there is a connection, or soon will be

	mu       sync.Mutex
	listener net.Listener
	conn     net.Conn

	kept []byte // came before a deadline that cut a ReceiveBytes short
}

// New makes a socket without a connection.
func New() *Socket {
	life, end := context.WithCancel(context.Background())
	return &Socket{life: life, end: end, ready: make(chan struct{})}
}

// Bind listens and accepts one connection.
func (s *Socket) Bind(endpoint string) (string, error) {
	network, address, err := s.begin(endpoint)
	if err != nil {
		return "", err
	}
	if host, ok := strings.CutSuffix(address, ":*"); ok && network == "tcp" {
		address = host + ":0"
	}
	var config net.ListenConfig
	listener, err := config.Listen(s.life, network, address)
	if err != nil {
		s.begun.Store(false)
		return "", s.report(err)
	}
	s.mu.Lock()
	s.listener = listener
	s.mu.Unlock()
	if s.life.Err() != nil { // Close may have looked too early
		_ = listener.Close()
	}
	go func() {
		conn, err := listener.Accept()
		_ = listener.Close()
		if err == nil {
			s.attach(conn)
		}
	}()
	if network == "tcp" {
		return "tcp://" + listener.Addr().String(), nil
	}
	return endpoint, nil
}

// Connect dials.
func (s *Socket) Connect(endpoint string) error {
	network, address, err := s.begin(endpoint)
	if err != nil {
		return err
	}
	var dialer net.Dialer // its TCP connections have TCP_NODELAY, as those of a listener
	conn, err := dialer.DialContext(s.life, network, address)
	if err != nil {
		s.begun.Store(false)
		return s.report(err)
	}
	s.attach(conn)
	return nil
}

// begin claims the one connection and gives the endpoint's address.
func (s *Socket) begin(endpoint string) (network, address string, err error) {
	transport, address, _ := strings.Cut(endpoint, "://")
	network, ok := map[string]string{"tcp": "tcp", "ipc": "unix"}[transport]
	if !ok {
		return "", "", driver.ErrUnsupported("a RAW socket is a connection over tcp or ipc")
	}
	if !s.begun.CompareAndSwap(false, true) {
		return "", "", &driver.Error{Name: driver.State, Text: "a RAW socket has one connection"}
	}
	return network, address, nil
}

func (s *Socket) attach(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.life.Err() != nil {
		_ = conn.Close()
		return
	}
	s.conn = conn
	close(s.ready)
}

// wait gives the connection as soon as there is one.
func (s *Socket) wait(deadline time.Time) (net.Conn, error) {
	var expired <-chan time.Time
	if !deadline.IsZero() {
		timer := time.NewTimer(time.Until(deadline))
		defer timer.Stop()
		expired = timer.C
	}
	select {
	case <-s.ready:
		return s.conn, nil
	default:
	}
	select {
	case <-s.ready:
		return s.conn, nil
	case <-s.life.Done():
		return nil, driver.ErrClosed
	case <-expired:
		return nil, driver.ErrTimeout
	}
}

// Send writes the bytes of all frames one after the other.
func (s *Socket) Send(deadline time.Time, _ string, next driver.Source) (sent int, err error) {
	conn, err := s.wait(deadline)
	if err != nil {
		return 0, err
	}
	if err := conn.SetWriteDeadline(least(deadline)); err != nil {
		return 0, s.report(err)
	}
	for message, ok := next(); ok; message, ok = next() {
		buffers := net.Buffers(slices.Clone(message)) // writing consumes it
		if _, err := buffers.WriteTo(conn); err != nil {
			return sent, s.report(err)
		}
		sent++
	}
	return sent, nil
}

// Receive hands over what each read of the connection gives, as a message of one frame.
func (s *Socket) Receive(deadline time.Time, take driver.Sink) error {
	conn, err := s.reader(deadline)
	if err != nil {
		return err
	}
	if kept := s.kept; len(kept) > 0 {
		s.kept = nil
		if !take(driver.Message{kept}) {
			return nil
		}
	}
	buffer := make([]byte, 64<<10)
	for {
		n, err := conn.Read(buffer)
		if n > 0 && !take(driver.Message{append([]byte(nil), buffer[:n]...)}) {
			return nil
		}
		if err != nil {
			return s.report(err)
		}
	}
}

// ReceiveBytes waits for exactly size bytes. If the connection ends before, it returns what came.
// What came before a timeout belongs to the next call.
func (s *Socket) ReceiveBytes(deadline time.Time, size int) ([]byte, error) {
	conn, err := s.reader(deadline)
	if err != nil {
		return nil, err
	}
	bytes := make([]byte, size)
	n := copy(bytes, s.kept)
	s.kept = s.kept[n:]
	m, err := io.ReadFull(conn, bytes[n:])
	switch {
	case err == nil:
		return bytes, nil
	case errors.Is(err, os.ErrDeadlineExceeded) && s.life.Err() == nil:
		s.kept = bytes[:n+m]
		return nil, driver.ErrTimeout
	default:
		return bytes[:n+m], s.report(err)
	}
}

// TalkBytes implements driver.ByteTalker.
func (s *Socket) TalkBytes(deadline time.Time, size int, talk func(driver.Conversation) error) error {
	conn, err := s.wait(deadline)
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(least(deadline)); err != nil {
		return s.report(err)
	}
	buffer := make([]byte, size)
	message := driver.Message{buffer}
	return talk(driver.Conversation{
		Send: func(message driver.Message) error {
			for _, frame := range message {
				if _, err := conn.Write(frame); err != nil {
					return s.report(err)
				}
			}
			return nil
		},
		Receive: func() (driver.Message, error) {
			n := 0
			if len(s.kept) > 0 {
				n = copy(buffer, s.kept)
				s.kept = s.kept[n:]
			}
			m, err := io.ReadFull(conn, buffer[n:])
			if err != nil {
				s.kept = append(slices.Clone(buffer[:n+m]), s.kept...)
				return nil, s.report(err)
			}
			return message, nil
		},
	})
}

func (s *Socket) reader(deadline time.Time) (net.Conn, error) {
	conn, err := s.wait(deadline)
	if err != nil {
		return nil, err
	}
	if err := conn.SetReadDeadline(least(deadline)); err != nil {
		return nil, s.report(err)
	}
	return conn, nil
}

// least gives a deadline that has passed a moment in which bytes that are there can still be read.
func least(deadline time.Time) time.Time {
	if soon := time.Now().Add(time.Millisecond); !deadline.IsZero() && deadline.Before(soon) {
		return soon
	}
	return deadline
}

// Set implements driver.Socket.
func (s *Socket) Set(option driver.Option) error {
	return driver.ErrUnsupported("RAW has no option " + option.Name)
}

// Get implements driver.Socket.
func (s *Socket) Get(name string) (driver.Value, error) {
	return driver.Value{}, driver.ErrUnsupported("RAW has no option " + name)
}

// Close implements driver.Socket.
func (s *Socket) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	if s.listener != nil {
		_ = s.listener.Close()
	}
	if s.conn != nil {
		_ = s.conn.Close()
	}
	return nil
}

// Abandon implements driver.Abandoner. Calls that wait would keep the connection: they end.
func (s *Socket) Abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end()
	if s.conn != nil {
		_ = s.conn.SetDeadline(time.Now())
	}
}

// report translates an error of the connection: it is closed, whichever end did it.
func (s *Socket) report(err error) error {
	if s.life.Err() != nil {
		return driver.ErrClosed
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrDeadlineExceeded):
		return driver.ErrTimeout
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return &driver.Error{Name: driver.Closed, Text: "the connection is closed"}
	}
	return driver.Wrap(err)
}
