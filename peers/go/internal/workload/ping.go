package workload

import (
	"bytes"
	"encoding/binary"
	"slices"
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Pinged is the result of Ping.
type Pinged struct {
	Count    int64     `json:"count"`
	Wrong    int64     `json:"wrong"`
	NS       int64     `json:"ns"`        // from the first counted message to the last answer
	JitterNS int64     `json:"jitter_ns"` // the mean difference of one round trip and the next
	HDR      Histogram `json:"hdr"`
}

// Pings says what Ping does.
type Pings struct {
	Stream
	Warmup int64
	Strip  int     // frames in front of each answer that do not count
	Rate   float64 // messages a second of the open loop; 0 is lock-step
}

// Ping sends a message and waits for the answer, Warmup times and then Count times with the clock running. An
// answer without its first Strip frames that equals the request, with or without the request's prefix, is
// right.
func Ping(socket Socket, deadline time.Time, pings Pings) (Pinged, error) {
	run := &pinging{Pings: pings, base: time.Now(), done: Pinged{HDR: newHistogram()}}
	err := converse(socket, deadline, func(with driver.Conversation) error {
		switch {
		case pings.Rate == 0:
			return run.lockStep(with, func(int64) (time.Duration, error) { return time.Since(run.base), nil })
		case socket.Type == "REQ":
			return run.inTurn(socket, with)
		default:
			return run.openLoop(socket, with)
		}
	})
	return run.end(), err
}

// pinging is a Ping in progress. Times are since base, which spares reading the wall clock.
type pinging struct {
	Pings
	base time.Time

	mu     sync.Mutex // a talk may go on when its time is up
	over   bool
	done   Pinged
	first  time.Duration // when the first counted message left, or should have
	took   time.Duration // of the answer before
	jitter time.Duration // sum
}

// end gives what was done, and takes in no more.
func (p *pinging) end() Pinged {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.over = true
	if p.done.Count > 1 {
		p.done.JitterNS = p.jitter.Nanoseconds() / (p.done.Count - 1)
	}
	return p.done
}

// note takes in the answer to message i, which left at from.
func (p *pinging) note(i int64, from, to time.Duration, correct bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	if !correct {
		p.done.Wrong++
	}
	if i < p.Warmup {
		return
	}
	took := to - from
	if p.done.Count == 0 || from < p.first {
		p.first = from
	}
	if p.done.Count > 0 {
		p.jitter += (took - p.took).Abs()
	}
	p.took = took
	p.done.Count++
	p.done.NS = (to - p.first).Nanoseconds()
	p.done.HDR.note(took.Nanoseconds())
}

// lockStep sends each message when the answer to the one before has come. start gives the moment that
// its time counts from.
func (p *pinging) lockStep(with driver.Conversation, start func(i int64) (time.Duration, error)) error {
	request := p.message(0)
	for i := range p.Warmup + p.Count {
		p.number(request, i)
		from, err := start(i)
		if err != nil {
			return err
		}
		if err := with.Send(request); err != nil {
			return err
		}
		answer, err := with.Receive()
		to := time.Since(p.base)
		if err != nil {
			return err
		}
		p.note(i, from, to, p.right(answer, request))
	}
	return nil
}

// number makes a message the one of another sequence number. The library is done with it: it has been
// answered, or sent by a call that writes or copies.
func (p *pinging) number(message driver.Message, sequence int64) {
	binary.BigEndian.PutUint64(message[len(message)-1], uint64(sequence))
}

func (p *pinging) right(answer, request driver.Message) bool {
	return right(answer, request, p.Strip, len(p.Prefix))
}

func right(answer, request driver.Message, strip, prefix int) bool {
	if len(answer) < strip {
		return false
	}
	answer = answer[strip:]
	return slices.EqualFunc(answer, request, bytes.Equal) ||
		slices.EqualFunc(answer, request[prefix:], bytes.Equal)
}
