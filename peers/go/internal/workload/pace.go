package workload

import (
	"time"

	"zmq-interop/peers/go/internal/alarm"
	"zmq-interop/peers/go/internal/driver"
)

// Paced is the result of Pace. LateNS is the largest delay behind the plan.
type Paced struct {
	Sent   int64 `json:"sent"`
	NS     int64 `json:"ns"`
	LateNS int64 `json:"late_ns"`
}

// Pace sends message i at i/rate seconds after the start, or as soon after as it can.
func Pace(socket Socket, deadline time.Time, stream Stream, rate float64) (done Paced, err error) {
	clock := alarm.New()
	defer clock.Close()
	start := time.Now()
	defer func() { done.NS = time.Since(start).Nanoseconds() }()
	for done.Sent < stream.Count {
		planned := start.Add(time.Duration(float64(done.Sent) / rate * float64(time.Second)))
		message := stream.message(uint64(done.Sent))
		stream.stamp(message, planned)
		if err := sleepUntil(clock, planned, deadline, socket); err != nil {
			return done, err
		}
		done.LateNS = max(done.LateNS, time.Since(planned).Nanoseconds())
		if err := sendOne(socket, deadline, message); err != nil {
			return done, err
		}
		done.Sent++
	}
	return done, nil
}

// sleepUntil sleeps until the moment, unless the deadline comes first or the socket closes.
func sleepUntil(clock *alarm.Alarm, moment, deadline time.Time, socket Socket) error {
	late := deadline.Before(moment)
	if late {
		moment = deadline
	}
	err := clock.Pause(moment, func() error {
		if socket.isClosed() {
			return driver.ErrClosed
		}
		return nil
	})
	if err == nil && late {
		err = driver.ErrTimeout
	}
	return err
}
