package driver

import "time"

// What a library or a socket may be able to do beyond Library and Socket (section 7 of the contract). A
// driver that implements one of these names the feature in its About.

// Terminator is a library that can end a named context under its sockets. Feature "term".
type Terminator interface {
	// Terminate ends the context. Calls on its sockets report what the library then gives them; the sockets
	// must still be closed, and the context is gone with the last of them.
	Terminate(context string) error
}

// Event is something that happened to a socket, in libzmq's words without ZMQ_EVENT_.
type Event struct {
	Name     string `json:"event"`
	Endpoint string `json:"endpoint"`
	Value    int64  `json:"value"`
}

// Monitored is a socket whose events can be recorded. Feature "monitor".
type Monitored interface {
	// Monitor starts to record. Once it does, another call changes nothing.
	Monitor() error

	// Events hands every recorded event to take, once and in order, until take says that it was the last
	// one. The time is up at the deadline; a zero deadline means for ever. At most one call at a time.
	Events(deadline time.Time, take func(Event) (more bool)) error
}

// Policy says whom a ZAP handler lets in; all others are refused.
type Policy struct {
	Domain string            // the only domain it speaks for; "" is every domain
	Plain  map[string]string // passwords by user name
	Curve  []string          // the clients' public keys, Z85
	Any    bool              // any CURVE key will do
}

// Authenticator is a library with ZAP (27/ZAP). Feature "zap".
type Authenticator interface {
	// Authenticate starts a handler in a named context, which begins with it and ends with its last socket.
	Authenticate(context string, policy Policy) error
}

// KeyMaker is a library with CURVE.
type KeyMaker interface {
	// Keypair makes a pair of keys, Z85.
	Keypair() (public, secret string, err error)
}

// Lender is a socket whose library can be called directly, by several goroutines. Feature "share".
type Lender interface {
	// Lend runs use. Its send is one blocking call of the library, made by whoever calls it and without any
	// protection; it gives up when stop closes, where the library lets it.
	Lend(stop <-chan struct{}, use func(send func(Message) error) error) error
}

// Passed is how many messages a proxy passed from its frontend to its backend, and back.
type Passed struct {
	Forward  int64 `json:"forward"`
	Backward int64 `json:"backward"`
}

// Proxier is a library with a proxy of its own.
type Proxier interface {
	// Proxy gives the library's proxy between two sockets, or nil where that cannot be used.
	Proxy(front, back Socket) Proxy
}

// Proxy is a library's own proxy.
type Proxy interface {
	// Run passes messages both ways until stop closes, the proxy ends by itself, or one of the sockets
	// closes. passed is nil if the library could not tell.
	Run(stop <-chan struct{}) (passed *Passed, err error)
}

// Steerable is a proxy that takes commands while it runs. Feature "steer".
type Steerable interface {
	// Steer returns when the command has come into force.
	Steer(command string) error
}

// The commands.
const (
	Pause     = "PAUSE"
	Resume    = "RESUME"
	Terminate = "TERMINATE"
)
