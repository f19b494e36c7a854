// Package workload is section 5 of the contract: bulk work that runs inside the peer, so that the
// control channel is out of the way. It works over any driver.
//
// Every function returns what it has done so far, also with an error.
package workload

import (
	"encoding/binary"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Socket is a socket at work.
type Socket struct {
	driver.Socket
	Type   string
	Closed <-chan struct{} // closed as soon as the socket is to be closed
}

// headerSize is the size of the two numbers at the start of a numbered frame: sequence and source.
const headerSize = 16

// MinSize is the smallest size, in bytes, of a numbered frame.
const MinSize = headerSize

// Stream describes the messages of flood, pace and ping: a prefix, and a numbered frame.
type Stream struct {
	Count  int64
	Size   int
	Source uint64
	Prefix driver.Message
}

// message makes the message of that sequence number. Its frames are new: a library may keep them.
func (s Stream) message(sequence uint64) driver.Message {
	frame := make([]byte, s.Size)
	binary.BigEndian.PutUint64(frame, sequence)
	binary.BigEndian.PutUint64(frame[8:], s.Source)
	return append(s.Prefix[:len(s.Prefix):len(s.Prefix)], frame)
}

// numbers reads the two numbers of a numbered frame.
func numbers(frame []byte) (sequence, source uint64, ok bool) {
	if len(frame) < headerSize {
		return 0, 0, false
	}
	return binary.BigEndian.Uint64(frame), binary.BigEndian.Uint64(frame[8:]), true
}

// converse runs a talk on a socket, in the fastest way that it has.
func converse(socket Socket, deadline time.Time, talk func(driver.Conversation) error) error {
	if talker, ok := socket.Socket.(driver.Talker); ok {
		return talker.Talk(deadline, talk)
	}
	return talk(driver.Conversation{
		Send:    func(message driver.Message) error { return sendOne(socket, deadline, message) },
		Receive: func() (driver.Message, error) { return receiveOne(socket, deadline) },
	})
}

// receiveOne waits for one message.
func receiveOne(socket driver.Socket, deadline time.Time) (message driver.Message, err error) {
	err = socket.Receive(deadline, driver.Into(&message))
	return message, err
}

// sendOne sends one message.
func sendOne(socket driver.Socket, deadline time.Time, message driver.Message) error {
	_, err := socket.Send(deadline, "", driver.One(message))
	return err
}
