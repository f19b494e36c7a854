//go:build cgo

// Package pebbe drives github.com/pebbe/zmq4, a cgo binding of libzmq.
//
// A libzmq socket belongs to one thread at a time, so each socket has one goroutine that makes all its
// calls (socket.go). It waits for the socket and for a bell at once (bell.go).
package pebbe

import (
	"fmt"
	"net"
	"runtime"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/modules"
)

const module = "github.com/pebbe/zmq4"

// types are the binding's socket types; drafts live in another package of it and are left out.
var types = map[string]zmq.Type{
	"REQ": zmq.REQ, "REP": zmq.REP, "DEALER": zmq.DEALER, "ROUTER": zmq.ROUTER,
	"PUB": zmq.PUB, "SUB": zmq.SUB, "XPUB": zmq.XPUB, "XSUB": zmq.XSUB,
	"PUSH": zmq.PUSH, "PULL": zmq.PULL, "PAIR": zmq.PAIR, "STREAM": zmq.STREAM,
}

// Library implements driver.Library.
type Library struct {
	contexts *contexts.Pool[*home]
	bells    bells
}

// New makes the driver.
func New() *Library {
	return &Library{contexts: contexts.New(begin, (*home).end)}
}

// Contexts implements driver.Library.
func (l *Library) Contexts() int { return l.contexts.Open() }

// Close ends the contexts that no socket uses.
func (l *Library) Close() error { return l.contexts.Close() }

// About implements driver.Library.
func (l *Library) About() driver.About {
	major, minor, patch := zmq.Version()
	return driver.About{
		Peer:           "peer-pebbe 0.1.0",
		Implementation: "pebbe",
		Version:        modules.Version(module),
		Library:        fmt.Sprintf("libzmq %d.%d.%d", major, minor, patch),
		Capabilities: driver.Capabilities{
			SocketTypes: []string{
				"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR", "STREAM",
			},
			Transports: transports(),
			Mechanisms: mechanisms(),
			Options:    optionNames(),
			SendPaths:  []string{"SendMessage", "SendBytes"},
			Features:   features(),
		},
	}
}

func transports() []string {
	names := []string{"tcp"}
	if listener, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = listener.Close()
		names = append(names, "tcp6")
	}
	if zmq.HasIpc() {
		names = append(names, "ipc")
		if runtime.GOOS == "linux" {
			names = append(names, "ipc-abstract")
		}
	}
	return append(names, "inproc")
}

func features() []string {
	names := []string{"unbind", "disconnect", "term", "monitor", "zap", "reconnect", "share", "callers", "tune"}
	if steerable() {
		names = append(names, "steer")
	}
	return names
}

func mechanisms() []string {
	names := []string{"NULL", "PLAIN"}
	if zmq.HasCurve() {
		names = append(names, "CURVE")
	}
	return names
}
