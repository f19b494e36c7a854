//go:build cgo

package pebbe

import (
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// borrow has the owner stand aside while use has the socket, on whatever goroutines it likes. All other
// calls on the socket but Close wait for its end, and Close counts on use to notice s.leaving.
func (s *Socket) borrow(use func(*zmq.Socket) error) error {
	return s.Talk(time.Time{}, func(driver.Conversation) error { return use(s.socket) })
}

// slice is the SNDTIMEO of a lent socket that has none of its own: how long a send blocks before it looks
// whether it has to give up.
const slice = 50 * time.Millisecond

// Lend implements driver.Lender.
func (s *Socket) Lend(stop <-chan struct{}, use func(send func(driver.Message) error) error) error {
	return s.borrow(func(socket *zmq.Socket) error {
		patience, err := socket.GetSndtimeo()
		if err != nil {
			return report(err)
		}
		if patience < 0 {
			if err := socket.SetSndtimeo(slice); err != nil {
				return report(err)
			}
			defer func() { _ = socket.SetSndtimeo(patience) }()
		}
		return use(func(message driver.Message) error {
			for {
				_, err := socket.SendMessage([][]byte(message))
				if !again(err) || patience >= 0 {
					return report(err)
				}
				select {
				case <-stop:
					return driver.ErrTimeout
				case <-s.leaving:
					return driver.ErrClosed
				default:
				}
			}
		})
	})
}
