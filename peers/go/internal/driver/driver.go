// Package driver is the seam between the contract and a ZeroMQ library. The server knows the
// contract and no library; a driver knows one library and nothing of JSON. A driver decides
// nothing: it calls what it is told to call and reports what the library gave back.
package driver

import "time"

// Message is a list of frames. There is at least one.
type Message [][]byte

// Library is one ZeroMQ implementation under test.
type Library interface {
	// About says who this is and what it can do. It is asked once.
	About() About

	// Open makes a socket. Sockets opened under the same non-empty context share one context of the
	// library; a socket opened under "" has a context of its own. The options are set in their order
	// before anything else happens to the socket.
	Open(context, socketType string, options []Option) (Socket, error)

	// Contexts is the number of library contexts that are open now.
	Contexts() int
}

// Socket is one open socket. Calls may come from any goroutine, at most one Send and one Receive at
// a time, and Close once, at any moment.
type Socket interface {
	// Bind listens on an endpoint and returns the actual one. A TCP port may be the wildcard *.
	Bind(endpoint string) (actual string, err error)

	// Connect connects to an endpoint, as synchronously as the library does.
	Connect(endpoint string) error

	// Set and Get reach a socket option by its libzmq name without the prefix ZMQ_.
	Set(Option) error
	Get(name string) (Value, error)

	// Send sends the messages that next gives, until next says no. via is one of the send paths, or ""
	// for the default. The time is up at the deadline; at least one attempt is made even if it has
	// passed. A zero deadline means the library's own blocking call. sent is the number of messages
	// that the library took.
	Send(deadline time.Time, via string, next Source) (sent int, err error)

	// Receive hands every message to take, until take says that it was the last one. Deadlines are
	// those of Send. No message that the library delivers is lost between two calls.
	Receive(deadline time.Time, take Sink) error

	// Close ends the socket, makes calls in progress return a Closed error, and ends the socket's
	// context if this was its last socket.
	Close() error
}

// Source gives the next message to send; ok is false at the end. It is called on any goroutine.
type Source func() (message Message, ok bool)

// Sink takes a received message and says whether it wants another one. It is called on any goroutine.
type Sink func(Message) (more bool)

// Unbinder is a socket that can stop listening on an endpoint. Feature "unbind".
type Unbinder interface{ Unbind(endpoint string) error }

// Disconnecter is a socket that can give up a connection. Feature "disconnect".
type Disconnecter interface{ Disconnect(endpoint string) error }

// Talker is a socket that can hold a conversation, sends and receives in turn, without handing each
// message from goroutine to goroutine. It is a matter of speed alone: a socket need not be one.
type Talker interface {
	// Talk runs talk, on any goroutine. A send or a receive in it that lasts until the deadline, or until
	// the socket closes, fails, if the library lets it; else Talk returns before talk does.
	Talk(deadline time.Time, talk func(Conversation) error) error
}

// ByteTalker is a Talker without messages, which is told how many bytes to take for one.
type ByteTalker interface {
	// TalkBytes is Talk. The message that its Receive gives is valid until the next one.
	TalkBytes(deadline time.Time, size int, talk func(Conversation) error) error
}

// Conversation is what a talk may do. Send and Receive block. They may be called side by side, but for a
// library whose sockets belong to one goroutine: it has the other two functions.
type Conversation struct {
	Send    func(Message) error
	Receive func() (Message, error)

	// ReceiveBefore waits for a message until the moment comes; came is false if that was first.
	ReceiveBefore func(moment time.Time) (message Message, came bool, err error)

	// Rest waits until the moment comes.
	Rest func(moment time.Time) error
}

// Value of a socket option: an integer (booleans are 0 and 1) or, if Bytes is not nil, bytes.
type Value struct {
	Integer int64
	Bytes   []byte
}

// Option is a socket option and its value.
type Option struct {
	Name  string
	Value Value
}

// About describes an implementation, in the words of the contract's hello.
type About struct {
	Peer           string `json:"peer"`
	Implementation string `json:"implementation"`
	Version        string `json:"version"`
	Library        string `json:"library"`
	Capabilities   `json:"capabilities"`
}

// Capabilities list what the library really does, not what it merely swallows. The server adds what
// it does itself: the socket type RAW, the workloads and the features of every peer.
type Capabilities struct {
	SocketTypes []string `json:"socket_types"`
	Transports  []string `json:"transports"`
	Mechanisms  []string `json:"mechanisms"`
	Options     []string `json:"options"`
	SendPaths   []string `json:"send_paths"`
	Workloads   []string `json:"workloads"`
	Features    []string `json:"features"`
}
