package gozeromq

import (
	"github.com/go-zeromq/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// The library's SetOption stores any name and acts on few, so this file names the ones that act.

// construction is an option that the library takes when it makes a socket, and only then.
func construction(option driver.Option) (zmq4.Option, bool, error) {
	if option.Name != "ROUTING_ID" {
		return nil, false, nil
	}
	if len(option.Value.Bytes) == 0 || len(option.Value.Bytes) > 255 {
		return nil, true, driver.ErrInvalid("ROUTING_ID is a frame of 1 to 255 bytes")
	}
	return zmq4.WithID(zmq4.SocketIdentity(option.Value.Bytes)), true, nil
}

// Set implements driver.Socket.
func (s *Socket) Set(option driver.Option) error {
	name, ok := map[string]string{
		"SUBSCRIBE":   zmq4.OptionSubscribe,
		"UNSUBSCRIBE": zmq4.OptionUnsubscribe,
	}[option.Name]
	switch {
	case option.Name == "ROUTING_ID":
		return driver.ErrUnsupported("the library takes ROUTING_ID only when it makes the socket")
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
	return driver.Value{}, driver.ErrUnsupported("the library has no way to read option " + name)
}
