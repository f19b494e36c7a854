package workload

import (
	"strconv"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Drained is the result of Drain. Sources are in decimal. A message without a numbered frame counts as
// received, and for no source.
type Drained struct {
	Received int64             `json:"received"`
	NS       int64             `json:"ns"`
	Sources  map[string]*Tally `json:"sources"`
	Delay    *Histogram        `json:"delay,omitempty"` // from stamp to receipt
}

// Drain receives count messages and tallies the numbered frame behind the first strip frames of each.
// Its time runs from the call, not from the first message.
func Drain(socket Socket, deadline time.Time, count int64, strip int, stamped bool) (Drained, error) {
	start := time.Now()
	done := Drained{Sources: make(map[string]*Tally)}
	tallies := make(map[uint64]*Tally)
	if stamped {
		delay := newHistogram()
		done.Delay = &delay
	}
	err := socket.Receive(deadline, func(message driver.Message) bool {
		done.Received++
		if stamped && len(message) > strip {
			if stamp, ok := stampOf(message[strip]); ok {
				done.Delay.note(time.Now().UnixNano() - stamp)
			}
		}
		if len(message) > strip {
			if sequence, source, ok := numbers(message[strip]); ok {
				tally := tallies[source]
				if tally == nil {
					tally = new(Tally)
					tallies[source] = tally
				}
				tally.note(sequence)
			}
		}
		return done.Received < count
	})
	done.NS = time.Since(start).Nanoseconds()
	for source, tally := range tallies {
		done.Sources[strconv.FormatUint(source, 10)] = tally
	}
	return done, err
}
