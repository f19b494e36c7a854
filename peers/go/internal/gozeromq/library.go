// Package gozeromq drives github.com/go-zeromq/zmq4, a pure Go implementation of ZMTP.
//
// The library's calls block and take no deadline, so a pump makes them, or a talk. Nothing is worked around: the
// peer reports what an application sees.
package gozeromq

import (
	"context"
	"net"
	"runtime"

	"github.com/go-zeromq/zmq4"

	"zmq-interop/peers/go/internal/contexts"
	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/modules"
)

const module = "github.com/go-zeromq/zmq4"

// constructors are the library's socket types.
var constructors = map[string]func(context.Context, ...zmq4.Option) zmq4.Socket{
	"REQ": zmq4.NewReq, "REP": zmq4.NewRep, "DEALER": zmq4.NewDealer, "ROUTER": zmq4.NewRouter,
	"PUB": zmq4.NewPub, "SUB": zmq4.NewSub, "XPUB": zmq4.NewXPub, "XSUB": zmq4.NewXSub,
	"PUSH": zmq4.NewPush, "PULL": zmq4.NewPull, "PAIR": zmq4.NewPair,
}

// lifeline is what the library has for a context: the parent of its sockets' contexts.
type lifeline struct {
	context.Context
	cancel context.CancelFunc
}

// Library implements driver.Library.
type Library struct {
	contexts *contexts.Pool[lifeline]
}

// New makes the driver.
func New() *Library {
	begin := func() (lifeline, error) {
		ctx, cancel := context.WithCancel(context.Background())
		return lifeline{ctx, cancel}, nil
	}
	end := func(l lifeline) error {
		l.cancel()
		return nil
	}
	return &Library{contexts: contexts.New(begin, end)}
}

// Terminate implements driver.Terminator.
func (l *Library) Terminate(context string) error {
	lease, ok := l.contexts.Find(context)
	if !ok {
		return driver.ErrInvalid("there is no context " + context)
	}
	lease.Context.cancel()
	return nil
}

// Contexts implements driver.Library.
func (l *Library) Contexts() int { return l.contexts.Open() }

// About implements driver.Library.
func (l *Library) About() driver.About {
	version := modules.Version(module)
	return driver.About{
		Peer:           "peer-gozeromq 0.1.0",
		Implementation: "go-zeromq",
		Version:        version,
		Library:        "go-zeromq/zmq4 " + version + " (pure Go)",
		Capabilities: driver.Capabilities{
			SocketTypes: []string{
				"REQ", "REP", "DEALER", "ROUTER", "PUB", "SUB", "XPUB", "XSUB", "PUSH", "PULL", "PAIR",
			},
			Transports: transports(),
			Mechanisms: []string{"NULL", "PLAIN"},
			Options: []string{
				"SUBSCRIBE", "UNSUBSCRIBE", "ROUTING_ID", "PLAIN_SERVER", "PLAIN_USERNAME", "PLAIN_PASSWORD",
				"AUTO_RECONNECT", "CONNECT_TIMEOUT", "RECONNECT_IVL",
			},
			SendPaths: []string{"SendMulti", "Send"},
			Features:  []string{"term", "reconnect", "share", "callers"},
		},
	}
}

func transports() []string {
	names := []string{"tcp"}
	if listener, err := net.Listen("tcp6", "[::1]:0"); err == nil {
		_ = listener.Close()
		names = append(names, "tcp6")
	}
	if runtime.GOOS != "windows" {
		names = append(names, "ipc")
	}
	if runtime.GOOS == "linux" {
		names = append(names, "ipc-abstract") // Go's unix sockets read a leading @ that way
	}
	return append(names, "inproc")
}
