package workload

import (
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Echoed is the result of Echo.
type Echoed struct {
	Echoed int64 `json:"echoed"`
}

// Echo receives a message and sends the same frames back, count times.
func Echo(socket Socket, deadline time.Time, count int64) (done Echoed, err error) {
	err = converse(socket, deadline, func(with driver.Conversation) error {
		for ; done.Echoed < count; done.Echoed++ {
			message, err := with.Receive()
			if err != nil {
				return err
			}
			if err := with.Send(message); err != nil {
				return err
			}
		}
		return nil
	})
	return done, err
}
