package workload

import (
	"sync/atomic"
	"time"

	"zmq-interop/peers/go/internal/alarm"
	"zmq-interop/peers/go/internal/driver"
)

// The open loop of Ping: messages leave by a plan, whether or not answers have come, and the time of each
// counts from the moment that the plan wanted it to leave.

// planned is when message i should leave.
func (p *pinging) planned(i int64) time.Duration {
	return time.Duration(float64(i) / p.Rate * float64(time.Second))
}

// rest is how a talk waits for a moment of the plan.
func (p *pinging) rest(socket Socket, with driver.Conversation) (rest func(time.Duration) error, done func()) {
	if with.Rest != nil {
		return func(moment time.Duration) error { return with.Rest(p.base.Add(moment)) }, func() {}
	}
	clock := alarm.New()
	return func(moment time.Duration) error {
		return clock.Pause(p.base.Add(moment), func() error {
			if socket.isClosed() {
				return driver.ErrClosed
			}
			return nil
		})
	}, clock.Close
}

// inTurn is the open loop of a socket that must have its answer before it may send again.
func (p *pinging) inTurn(socket Socket, with driver.Conversation) error {
	rest, done := p.rest(socket, with)
	defer done()
	return p.lockStep(with, func(i int64) (time.Duration, error) {
		planned := p.planned(i)
		return planned, rest(planned)
	})
}

// openLoop sends and receives side by side, or on one goroutine where the library wants that.
func (p *pinging) openLoop(socket Socket, with driver.Conversation) error {
	answers := &answers{pinging: p, expected: p.message(0)}
	if with.ReceiveBefore != nil {
		return p.alternate(with, answers)
	}
	sent := make(chan error, 1)
	go func() { sent <- p.sendByPlan(socket, with, answers) }()
	for answers.missing() {
		answer, err := with.Receive()
		to := time.Since(p.base)
		if err != nil {
			select {
			case failed := <-sent: // which is why no answer came
				if failed != nil {
					return failed
				}
			default:
			}
			return err
		}
		answers.note(answer, to)
	}
	return <-sent
}

func (p *pinging) sendByPlan(socket Socket, with driver.Conversation, answers *answers) error {
	rest, done := p.rest(socket, with)
	defer done()
	request := p.message(0)
	for i := range p.Warmup + p.Count {
		if err := rest(p.planned(i)); err != nil {
			return err
		}
		p.number(request, i)
		answers.sent.Store(i + 1)
		if err := with.Send(request); err != nil {
			return err
		}
	}
	return nil
}

// alternate never puts off an answer that is there for a message whose time has come, nor the other way.
func (p *pinging) alternate(with driver.Conversation, answers *answers) error {
	request := p.message(0)
	total := p.Warmup + p.Count
	for i := int64(0); answers.missing(); {
		if i < total && time.Since(p.base) >= p.planned(i) {
			p.number(request, i)
			i++
			answers.sent.Store(i)
			if err := with.Send(request); err != nil {
				return err
			}
		}
		var answer driver.Message
		var err error
		came := true
		if i < total {
			answer, came, err = with.ReceiveBefore(p.base.Add(p.planned(i)))
		} else {
			answer, err = with.Receive()
		}
		to := time.Since(p.base)
		if err != nil {
			return err
		}
		if came {
			answers.note(answer, to)
		}
	}
	return nil
}

// answers tells by its sequence number which message an answer belongs to. The first answer to a message that
// was sent counts; any other is wrong.
type answers struct {
	*pinging
	sent     atomic.Int64
	expected driver.Message
	seen     Tally
	stray    int64 // answers to no message
}

// missing reports whether there are answers to come. A wrong one takes the place of the right one.
func (a *answers) missing() bool { return a.seen.Received+a.stray < a.Warmup+a.Count }

func (a *answers) note(answer driver.Message, to time.Duration) {
	var sequence uint64
	known := false
	if len(answer) > 0 {
		sequence, _, known = numbers(answer[len(answer)-1])
	}
	if !known || sequence >= uint64(a.sent.Load()) {
		a.stray++
		a.wrong()
		return
	}
	i, before := int64(sequence), a.seen.Doubled
	a.seen.note(sequence)
	if a.seen.Doubled > before {
		a.wrong()
		return
	}
	a.number(a.expected, i)
	a.pinging.note(i, a.planned(i), to, a.right(answer, a.expected))
}

// wrong counts an answer that has no time.
func (a *answers) wrong() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !a.over {
		a.done.Wrong++
	}
}
