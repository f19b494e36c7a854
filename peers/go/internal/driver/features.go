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

// Abandoner is a socket that something of the driver's own would keep alive.
type Abandoner interface {
	// Abandon lets go of the library's socket without closing it.
	Abandon()
}

// Tuner is a library whose contexts have options. Feature "tune".
type Tuner interface {
	// Tune sets options of a named context, which begins with it, before its first socket.
	Tune(context string, options []Option) error
}

// Recruiter is a library that can have very many clients at once. Feature "callers".
type Recruiter interface {
	// Recruit makes room for so many clients, sockets of a type on one context, connected to one endpoint.
	Recruit(socketType, endpoint string, clients int) (Callers, error)
}

// Callers are very many clients, in crews that are worked by a goroutine each.
type Callers interface {
	// Crews is how many crews there are at most.
	Crews() int
	Crew() Crew
	// Close ends the context. The crews are closed before.
	Close() error
}

// Crew is some clients that one goroutine works. They are numbered from 0.
type Crew interface {
	// Add opens the next one and connects it, until the moment at most. One that fails has a number too.
	Add(moment time.Time) error
	// Send sends. It does not wait for the other side.
	Send(client int, message Message) error
	// Receive waits until answers have come, or the moment, or less, and hands all that came to take; err is
	// that of one client. Its own error is that of all.
	Receive(moment time.Time, take func(client int, message Message, err error)) error
	// Interrupt makes the other calls fail. It alone may be called on any goroutine, at any time.
	Interrupt()
	// Close closes them all.
	Close()
}
