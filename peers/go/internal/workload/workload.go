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
	Bytes  int             // of a message, where the socket has none of its own
}

// The sizes of the numbers at the start of a numbered frame, in bytes: sequence and source, and a stamp.
const (
	headerSize  = 16
	stampedSize = 24
)

// The smallest size, in bytes, of a numbered frame, and of one with a stamp.
const (
	MinSize        = headerSize
	MinStampedSize = stampedSize
)

// Stream describes the messages of flood, pace and ping: a prefix, and a numbered frame.
type Stream struct {
	Count  int64
	Size   int
	Source uint64
	Stamp  bool // with the wall clock
	Prefix driver.Message
}

// message makes the message of that sequence number. Its frames are new: a library may keep them.
func (s Stream) message(sequence uint64) driver.Message {
	frame := make([]byte, s.Size)
	binary.BigEndian.PutUint64(frame, sequence)
	binary.BigEndian.PutUint64(frame[8:], s.Source)
	return append(s.Prefix[:len(s.Prefix):len(s.Prefix)], frame)
}

// stamp writes a moment into a message.
func (s Stream) stamp(message driver.Message, moment time.Time) {
	if s.Stamp {
		binary.BigEndian.PutUint64(message[len(message)-1][headerSize:], uint64(moment.UnixNano()))
	}
}

// stampOf reads the stamp of a numbered frame.
func stampOf(frame []byte) (ns int64, ok bool) {
	if len(frame) < stampedSize {
		return 0, false
	}
	return int64(binary.BigEndian.Uint64(frame[headerSize:])), true
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
	switch talker := socket.Socket.(type) {
	case driver.Talker:
		return talker.Talk(deadline, talk)
	case driver.ByteTalker:
		return talker.TalkBytes(deadline, socket.Bytes, talk)
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
