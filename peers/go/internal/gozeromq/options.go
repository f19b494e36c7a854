package gozeromq

import (
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/go-zeromq/zmq4/security/plain"

	"zmq-interop/peers/go/internal/driver"
)

// The library's SetOption stores any name and acts on few, so this file names the options that act:
// those that the library takes when it makes a socket, and then only, and those of a SUB.

// construction is what the library takes when it makes a socket.
type construction struct {
	identity       []byte
	plain          bool
	user, password string
	more           []zmq4.Option
}

// times are the library's options that are a time.
var times = map[string]func(time.Duration) zmq4.Option{
	"SNDTIMEO":        zmq4.WithTimeout,
	"CONNECT_TIMEOUT": zmq4.WithDialerTimeout, // of each attempt
	"RECONNECT_IVL":   zmq4.WithDialerRetry,   // between two attempts, of the first connection too
}

// take notes an option if it is one of these.
func (c *construction) take(option driver.Option) (taken bool, err error) {
	bytes := option.Value.Bytes
	switch option.Name {
	case "ROUTING_ID":
		if len(bytes) == 0 || len(bytes) > 255 {
			return true, driver.ErrInvalid("ROUTING_ID is a frame of 1 to 255 bytes")
		}
		c.identity = bytes
	case "PLAIN_SERVER": // which side serves is a matter of who binds
		c.plain = option.Value.Integer != 0
	case "PLAIN_USERNAME":
		c.plain, c.user = true, string(bytes)
	case "PLAIN_PASSWORD":
		c.plain, c.password = true, string(bytes)
	case "AUTO_RECONNECT":
		c.more = append(c.more, zmq4.WithAutomaticReconnect(option.Value.Integer != 0))
	default:
		with, ok := times[option.Name]
		if !ok {
			return false, nil
		}
		if bytes != nil || option.Value.Integer < 0 {
			return true, driver.ErrInvalid(option.Name + " is a number of milliseconds, 0 or more, in this library")
		}
		c.more = append(c.more, with(time.Duration(option.Value.Integer)*time.Millisecond))
	}
	return true, nil
}

// options are the library's words for it.
func (c *construction) options() (options []zmq4.Option) {
	if c.identity != nil {
		options = append(options, zmq4.WithID(zmq4.SocketIdentity(c.identity)))
	}
	if c.plain {
		options = append(options, zmq4.WithSecurity(plain.Security(c.user, c.password)))
	}
	return append(options, c.more...)
}

// Set implements driver.Socket.
func (s *Socket) Set(option driver.Option) error {
	if err := s.orphaned(); err != nil {
		return err
	}
	if taken, _ := new(construction).take(option); taken {
		return driver.ErrUnsupported("the library takes " + option.Name + " only when it makes the socket")
	}
	name, ok := map[string]string{
		"SUBSCRIBE":   zmq4.OptionSubscribe,
		"UNSUBSCRIBE": zmq4.OptionUnsubscribe,
	}[option.Name]
	switch {
	case !ok || s.socketType != "SUB":
		return driver.ErrUnsupported("a " + s.socketType + " of this library has no option " + option.Name)
	case option.Value.Bytes == nil:
		return driver.ErrInvalid(option.Name + " is a frame")
	}
	s.control.Lock()
	defer s.control.Unlock()
	return s.report(s.socket.SetOption(name, string(option.Value.Bytes)))
}

// Get implements driver.Socket. The library's GetOption gives back what SetOption stored, which says
// nothing about the socket.
func (s *Socket) Get(name string) (driver.Value, error) {
	if err := s.orphaned(); err != nil {
		return driver.Value{}, err
	}
	return driver.Value{}, driver.ErrUnsupported("the library has no way to read option " + name)
}
