package server

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/frames"
	"zmq-interop/peers/go/internal/rpc"
)

const (
	rawType     = "RAW"
	maxMessages = 1 << 31
	ownRule     = -1 // no timeout given: the library's own rule decides
)

// sizedReceiver is a socket without messages, which is told how many bytes to wait for.
type sizedReceiver interface {
	ReceiveBytes(deadline time.Time, size int) ([]byte, error)
}

func optionValue(value driver.Value) any {
	if value.Bytes != nil {
		return frames.Encode(value.Bytes, frames.DefaultInline)
	}
	return value.Integer
}

func send(s *Server, params *rpc.Params) (task, error) {
	params.Must("messages")
	messages := params.Messages("messages")
	via := params.Text("via", "")
	patience := params.Patience(ownRule)
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if via != "" && !slices.Contains(s.about.SendPaths, via) {
		return nil, driver.ErrUnsupported("the library has no send path " + via)
	}
	turn := entry.sends.join()
	return func() (any, error) {
		defer turn.leave()
		next := func() (driver.Message, bool) {
			if len(messages) == 0 {
				return nil, false
			}
			message := messages[0].Frames()
			messages = messages[1:]
			return message, true
		}
		deadline := patience.Deadline()
		sent, err := 0, turn.wait(deadline, entry.closed)
		if err == nil {
			err = timed(func() (err error) {
				sent, err = entry.socket.Send(deadline, via, next)
				return err
			})
		}
		return answered(map[string]any{"sent": sent}, err)
	}, nil
}

func recv(s *Server, params *rpc.Params) (task, error) {
	count := params.Integer("count", 1, maxMessages, 1)
	inline := int(params.Integer("inline", 0, maxMessages, frames.DefaultInline))
	size := int(params.Integer("size", 1, frames.MaxSize, 0))
	patience := params.Patience(ownRule)
	counted, sized := params.Has("count"), params.Has("size")
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	bytes, isRaw := entry.socket.(sizedReceiver)
	if isRaw && (counted || !sized) {
		return nil, driver.ErrInvalid("recv on a RAW socket takes size, not count")
	}
	if !isRaw && sized {
		return nil, driver.ErrInvalid("recv takes size on a RAW socket only")
	}
	turn := entry.receives.join()
	return func() (any, error) {
		defer turn.leave()
		var messages []driver.Message
		deadline := patience.Deadline()
		err := turn.wait(deadline, entry.closed)
		switch {
		case err != nil:
		case isRaw:
			err = timed(func() error {
				got, err := bytes.ReceiveBytes(deadline, size)
				if err == nil || len(got) > 0 {
					messages = append(messages, driver.Message{got})
				}
				return err
			})
		default:
			err = timed(func() error {
				return entry.socket.Receive(deadline, func(message driver.Message) bool {
					messages = append(messages, message)
					return int64(len(messages)) < count
				})
			})
		}
		return answered(map[string]any{"messages": encode(messages, inline)}, err)
	}, nil
}

// timed makes a call and sees to it that its timeout says how long it waited. A driver knows better.
func timed(call func() error) error {
	start := time.Now()
	err := call()
	if driver.Wait(err) == 0 {
		err = driver.After(time.Since(start), err)
	}
	return err
}

// answered is the answer of send and recv. A timeout says how long the library was waited for, which is
// no time at all if the call's turn never came.
func answered(result map[string]any, err error) (any, error) {
	if err == nil {
		return result, nil
	}
	if errors.Is(err, driver.ErrTimeout) {
		result["waited_ns"] = driver.Wait(err).Nanoseconds()
	}
	return nil, &partial{err, result}
}

// room is what a response's line has for messages.
const room = rpc.MaxLine - 4096

// encode gives the JSON form of received messages. Where they do not fit a line, every frame is given as
// size and digest.
func encode(messages []driver.Message, inline int) any {
	encoded := frames.EncodeAll(messages, inline)
	const longest, around = 6, 90 // JSON bytes of a byte, and of a frame without its bytes
	size := 0
	for _, message := range messages {
		for _, frame := range message {
			size += around + longest*min(len(frame), inline)
		}
	}
	if size <= room {
		return encoded
	}
	if text, err := json.Marshal(encoded); err == nil && len(text) > room {
		return frames.EncodeAll(messages, -1)
	}
	return encoded
}
