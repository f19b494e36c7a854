package workload

import (
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Sent is the result of Flood.
type Sent struct {
	Sent int64 `json:"sent"`
	NS   int64 `json:"ns"`
}

// Flood sends as fast as the library takes the messages.
func Flood(socket Socket, deadline time.Time, stream Stream) (Sent, error) {
	start := time.Now()
	var given int64
	sent, err := socket.Send(deadline, "", func() (driver.Message, bool) {
		if given == stream.Count {
			return nil, false
		}
		message := stream.message(uint64(given))
		given++
		if stream.Stamp {
			stream.stamp(message, time.Now())
		}
		return message, true
	})
	return Sent{int64(sent), time.Since(start).Nanoseconds()}, err
}
