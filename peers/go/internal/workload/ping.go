package workload

import (
	"bytes"
	"math"
	"slices"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Pinged is the result of Ping. NS is missing if nothing was timed.
type Pinged struct {
	Count int64     `json:"count"`
	NS    *Quantile `json:"ns,omitempty"`
	Wrong int64     `json:"wrong"`
}

// Quantile summarises round-trip times in nanoseconds.
type Quantile struct {
	Min  int64   `json:"min"`
	P50  int64   `json:"p50"`
	P90  int64   `json:"p90"`
	P99  int64   `json:"p99"`
	P999 int64   `json:"p999"`
	Max  int64   `json:"max"`
	Mean float64 `json:"mean"`
}

// Ping sends a message and waits for the answer, warmup times and then stream.Count times with the
// clock running. An answer without its first strip frames that equals the request, with or without the
// request's prefix, is right.
func Ping(socket Socket, deadline time.Time, stream Stream, warmup int64, strip int) (done Pinged, err error) {
	times := make([]int64, 0, min(stream.Count, 1<<20))
	err = converse(socket, deadline, func(with driver.Conversation) error {
		for i := range warmup + stream.Count {
			request := stream.message(uint64(i))
			start := time.Now()
			if err := with.Send(request); err != nil {
				return err
			}
			answer, err := with.Receive()
			if err != nil {
				return err
			}
			took := time.Since(start)
			if !right(answer, request, strip, len(stream.Prefix)) {
				done.Wrong++
			}
			if i >= warmup {
				done.Count++
				times = append(times, took.Nanoseconds())
			}
		}
		return nil
	})
	done.NS = summarise(times)
	return done, err
}

func right(answer, request driver.Message, strip, prefix int) bool {
	if len(answer) < strip {
		return false
	}
	answer = answer[strip:]
	return slices.EqualFunc(answer, request, bytes.Equal) ||
		slices.EqualFunc(answer, request[prefix:], bytes.Equal)
}

// summarise sorts the times. A quantile is the smallest time that its share of all does not exceed
// (nearest rank).
func summarise(times []int64) *Quantile {
	if len(times) == 0 {
		return nil
	}
	slices.Sort(times)
	var sum float64
	for _, t := range times {
		sum += float64(t)
	}
	n := float64(len(times))
	at := func(share float64) int64 { return times[max(0, int(math.Ceil(share*n))-1)] }
	return &Quantile{
		Min: times[0], P50: at(0.5), P90: at(0.9), P99: at(0.99), P999: at(0.999),
		Max: times[len(times)-1], Mean: sum / n,
	}
}
