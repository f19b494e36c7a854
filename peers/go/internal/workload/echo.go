package workload

import "time"

// Echoed is the result of Echo.
type Echoed struct {
	Echoed int64 `json:"echoed"`
}

// Echo receives a message and sends the same frames back, count times.
func Echo(socket Socket, deadline time.Time, count int64) (done Echoed, err error) {
	for done.Echoed < count {
		message, err := receiveOne(socket, deadline)
		if err != nil {
			return done, err
		}
		if err := sendOne(socket, deadline, message); err != nil {
			return done, err
		}
		done.Echoed++
	}
	return done, nil
}
