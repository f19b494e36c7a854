package workload

import (
	"sync/atomic"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Echoed is the result of Echo.
type Echoed struct {
	Echoed int64 `json:"echoed"`
}

// Echo receives a message and sends the same frames back, count times.
func Echo(socket Socket, deadline time.Time, count int64) (Echoed, error) {
	var echoed atomic.Int64 // a talk may go on when its time is up
	err := converse(socket, deadline, func(with driver.Conversation) error {
		for echoed.Load() < count {
			message, err := with.Receive()
			if err != nil {
				return err
			}
			if err := with.Send(message); err != nil {
				return err
			}
			echoed.Add(1)
		}
		return nil
	})
	return Echoed{echoed.Load()}, err
}
