package workload

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"zmq-interop/peers/go/internal/driver"
)

func TestPingAgainstEcho(t *testing.T) {
	for name, pings := range map[string]Pings{
		"lock-step": {}, "open loop": {Rate: 10_000},
	} {
		left, right := wire()
		var echoing sync.WaitGroup
		echoing.Add(1)
		go func() {
			defer echoing.Done()
			if done, err := Echo(right, soon(), 25); done.Echoed != 25 || err != nil {
				t.Errorf("%s: %+v, %v", name, done, err)
			}
		}()
		pings.Stream, pings.Warmup = Stream{Count: 20, Size: 32}, 5
		done, err := Ping(left, soon(), pings)
		if err != nil || done.Count != 20 || done.Wrong != 0 || done.NS <= 0 || done.HDR.counts.TotalCount() != 20 {
			t.Fatalf("%s: %+v, %v", name, done, err)
		}
		echoing.Wait()
	}
}

// echo answers with a delay.
func (q *queue) echo(delay func(i int)) {
	for i := 0; ; i++ {
		select {
		case <-q.closed:
			return
		case message := <-q.in:
			delay(i)
			q.out <- message
		}
	}
}

// A stall of 50 ms is felt by every message that the plan put into it, not by the first alone.
func TestTheOpenLoopCountsFromThePlan(t *testing.T) {
	for _, kind := range []string{"REQ", "DEALER"} {
		left, right := wire()
		left.Type = kind
		go right.Socket.(*queue).echo(func(i int) {
			if i == 10 {
				time.Sleep(50 * time.Millisecond)
			}
		})
		done, err := Ping(left, soon(), Pings{Stream: Stream{Count: 40, Size: 16}, Rate: 1000})
		right.shut()
		if err != nil || done.Count != 40 || done.NS < int64(39*time.Millisecond) {
			t.Fatalf("%s: %+v, %v", kind, done, err)
		}
		if half := done.HDR.counts.ValueAtQuantile(50); half < int64(5*time.Millisecond) {
			t.Errorf("%s: the median is %v", kind, time.Duration(half))
		}
	}
}

// The same for a socket that belongs to one goroutine.
func TestTheOpenLoopAlternatesOnOneGoroutine(t *testing.T) {
	left, right := wire()
	go right.Socket.(*queue).echo(func(int) {})
	q := left.Socket.(*queue)
	with := driver.Conversation{
		Send:    func(m driver.Message) error { q.out <- driver.Message{append([]byte(nil), m[0]...)}; return nil },
		Receive: func() (driver.Message, error) { return <-q.in, nil },
		ReceiveBefore: func(moment time.Time) (driver.Message, bool, error) {
			select {
			case m := <-q.in:
				return m, true, nil
			case <-time.After(time.Until(moment)):
				return nil, false, nil
			}
		},
	}
	run := &pinging{Pings: Pings{Stream: Stream{Count: 50, Size: 16}, Rate: 5000}, base: time.Now()}
	run.done.HDR = newHistogram()
	err := run.openLoop(left, with)
	if done := run.end(); err != nil || done.Count != 50 || done.Wrong != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
	right.shut()
}

func TestPingCountsWrongAnswers(t *testing.T) {
	left, right := wire()
	for range 3 { // answers that were there before their question
		_ = sendOne(right, soon(), frame(1, 0))
	}
	done, err := Ping(left, soon(), Pings{Stream: Stream{Count: 3, Size: MinSize}})
	if err != nil || done.Wrong != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestAnswersToNothingAreWrong(t *testing.T) {
	run := &pinging{Pings: Pings{Stream: Stream{Count: 4, Size: MinSize}, Rate: 1}}
	run.done.HDR = newHistogram()
	got := &answers{pinging: run, expected: run.message(0)}
	got.sent.Store(2)
	for _, message := range []driver.Message{frame(1, 0), frame(1, 0), frame(2, 0), {[]byte("short")}} {
		if !got.missing() {
			t.Error("too early")
		}
		got.note(message, time.Second)
	}
	if done := run.end(); got.missing() || done.Wrong != 3 || done.Count != 1 {
		t.Fatalf("%+v", done)
	}
}

func TestAPingThatIsLateKeepsWhatItHas(t *testing.T) {
	left, right := wire()
	_ = sendOne(right, soon(), frame(0, 0))
	done, err := Ping(left, time.Now().Add(20*time.Millisecond), Pings{Stream: Stream{Count: 3, Size: MinSize}})
	if !errors.Is(err, driver.ErrTimeout) || done.Count != 1 || done.HDR.counts.TotalCount() != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestAHistogramIsSentInItsEncodedForm(t *testing.T) {
	h := newHistogram()
	for _, ns := range []int64{-5, 0, 1000, 1 << 62} {
		h.note(ns)
	}
	var text string
	raw, err := json.Marshal(h)
	if err == nil {
		err = json.Unmarshal(raw, &text)
	}
	if err != nil || !strings.HasPrefix(text, "HISTFAAAA") {
		t.Fatalf("%s, %v", raw, err)
	}
	decoded, err := hdrhistogram.Decode([]byte(text))
	if err != nil || decoded.TotalCount() != 4 || decoded.Min() != 1 || decoded.ValueAtQuantile(75) != 1000 || decoded.Max() < longest {
		t.Fatalf("%v, %v", decoded, err)
	}
}

func TestStampsTellTheDelay(t *testing.T) {
	left, right := wire()
	stream := Stream{Count: 10, Size: MinStampedSize, Stamp: true}
	if _, err := Flood(left, soon(), stream); err != nil {
		t.Fatal(err)
	}
	time.Sleep(20 * time.Millisecond) // what the messages wait
	done, err := Drain(right, soon(), 10, 0, true)
	if err != nil || done.Delay.counts.TotalCount() != 10 || done.Delay.counts.Min() < int64(19*time.Millisecond) {
		t.Fatalf("%+v, %v", done, err)
	}
	before := time.Now()
	if _, err := Pace(left, soon(), stream, 1000); err != nil {
		t.Fatal(err)
	}
	last := int64(0)
	_ = right.Receive(soon(), func(message driver.Message) bool {
		last, _ = stampOf(message[0])
		sequence, _, _ := numbers(message[0])
		return sequence < 9
	})
	if planned := before.Add(9 * time.Millisecond).UnixNano(); last < planned || last > planned+int64(time.Second) {
		t.Errorf("the last one was planned %v after the start", time.Duration(last-before.UnixNano()))
	}
}
