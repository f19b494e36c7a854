package workload

import (
	"errors"
	"slices"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// queue is a socket whose sends go to one channel and whose receives come from another.
type queue struct {
	driver.Socket // nothing else is called
	out, in       chan driver.Message
	closed        chan struct{}
}

func (q *queue) Send(deadline time.Time, _ string, next driver.Source) (sent int, err error) {
	for message, ok := next(); ok; message, ok = next() {
		message = slices.Clone(message) // as a library that writes or copies
		for i := range message {
			message[i] = slices.Clone(message[i])
		}
		select {
		case q.out <- message:
			sent++
		case <-q.closed:
			return sent, driver.ErrClosed
		case <-time.After(time.Until(deadline)):
			return sent, driver.ErrTimeout
		}
	}
	return sent, nil
}

func (q *queue) Receive(deadline time.Time, take driver.Sink) error {
	for {
		select {
		case message := <-q.in:
			if !take(message) {
				return nil
			}
		case <-q.closed:
			return driver.ErrClosed
		case <-time.After(time.Until(deadline)):
			return driver.ErrTimeout
		}
	}
}

// wire gives two connected sockets.
func wire() (left, right Socket) {
	a, b := make(chan driver.Message, 10_000), make(chan driver.Message, 10_000)
	make1 := func(out, in chan driver.Message) Socket {
		closed := make(chan struct{})
		return Socket{Socket: &queue{out: out, in: in, closed: closed}, Type: "PAIR", Closed: closed}
	}
	return make1(a, b), make1(b, a)
}

func (s Socket) shut() { close(s.Socket.(*queue).closed) }

func soon() time.Time { return time.Now().Add(10 * time.Second) }

func frame(sequence, source uint64) driver.Message {
	return Stream{Size: MinSize, Source: source}.message(sequence)
}

func TestFloodAndDrainAgree(t *testing.T) {
	left, right := wire()
	stream := Stream{Count: 1000, Size: 100, Source: 7, Prefix: driver.Message{[]byte("topic")}}
	sent, err := Flood(left, soon(), stream)
	if sent.Sent != 1000 || err != nil {
		t.Fatalf("%+v, %v", sent, err)
	}
	done, err := Drain(right, soon(), 1000, 1, false)
	if err != nil || done.Received != 1000 || len(done.Sources) != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	if tally := done.Sources["7"]; tally.Received != 1000 || tally.Missing+tally.Doubled+tally.Reordered != 0 {
		t.Fatalf("%+v", tally)
	}
}

func TestDrainKeepsItsCountWhenTheTimeIsUp(t *testing.T) {
	left, right := wire()
	_, _ = Flood(left, soon(), Stream{Count: 3, Size: MinSize})
	done, err := Drain(right, time.Now().Add(20*time.Millisecond), 5, 0, false)
	if !errors.Is(err, driver.ErrTimeout) || done.Received != 3 || done.Sources["0"].Received != 3 {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestDrainCountsMessagesWithoutNumbersForNoSource(t *testing.T) {
	left, right := wire()
	for _, message := range []driver.Message{{[]byte("short")}, frame(0, 1), {{}}} {
		_ = sendOne(left, soon(), message)
	}
	done, err := Drain(right, soon(), 3, 0, false)
	if err != nil || done.Received != 3 || done.Sources["1"].Received != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestTally(t *testing.T) {
	const far = 1 << 62
	for _, c := range []struct {
		sequences                             []uint64
		received, missing, doubled, reordered int64
	}{
		{[]uint64{0, 1, 2}, 3, 0, 0, 0},
		{[]uint64{2}, 1, 2, 0, 0},
		{[]uint64{0, 2, 1}, 3, 0, 0, 1},
		{[]uint64{0, 0, 1}, 3, 0, 1, 0},
		{[]uint64{0, 1, 0}, 3, 0, 1, 1}, // it came again, and after a larger one
		{[]uint64{0, 3, 1, 3}, 4, 1, 1, 1},
		{[]uint64{pageSize - 1, pageSize, 0}, 3, pageSize - 2, 0, 1},
		{[]uint64{far}, 1, far, 0, 0},
	} {
		var tally Tally
		for _, sequence := range c.sequences {
			tally.note(sequence)
		}
		if tally.Received != c.received || tally.Missing != c.missing ||
			tally.Doubled != c.doubled || tally.Reordered != c.reordered {
			t.Errorf("%v: %d received, %d missing, %d doubled, %d reordered",
				c.sequences, tally.Received, tally.Missing, tally.Doubled, tally.Reordered)
		}
	}
}

func TestRightAnswers(t *testing.T) {
	body, id := []byte("body"), []byte("id")
	for _, c := range []struct {
		answer, request driver.Message
		strip, prefix   int
		want            bool
	}{
		{driver.Message{body}, driver.Message{body}, 0, 0, true},
		{driver.Message{{}, body}, driver.Message{{}, body}, 0, 1, true},
		{driver.Message{{}, body}, driver.Message{{}, body}, 1, 1, true},
		{driver.Message{id, body}, driver.Message{body}, 1, 0, true},
		{driver.Message{id, {}, body}, driver.Message{id, {}, body}, 2, 2, true},
		{driver.Message{body}, driver.Message{{}, body}, 1, 1, false},
		{driver.Message{id}, driver.Message{body}, 0, 0, false},
		{driver.Message{}, driver.Message{body}, 1, 0, false},
		{driver.Message{body, {}}, driver.Message{body}, 0, 0, false},
	} {
		if got := right(c.answer, c.request, c.strip, c.prefix); got != c.want {
			t.Errorf("%q to %q, strip %d: %v", c.answer, c.request, c.strip, got)
		}
	}
}

func TestPaceKeepsToItsPlan(t *testing.T) {
	left, _ := wire()
	start := time.Now()
	done, err := Pace(left, soon(), Stream{Count: 5, Size: MinSize}, 100)
	if took := time.Since(start); err != nil || done.Sent != 5 || took < 40*time.Millisecond {
		t.Fatalf("%+v, %v in %v", done, err, took)
	}
	if done.LateNS < 0 || done.NS < 40_000_000 {
		t.Fatalf("%+v", done)
	}
}

func TestPaceEndsWithTheTimeOrTheSocket(t *testing.T) {
	left, _ := wire()
	done, err := Pace(left, time.Now().Add(20*time.Millisecond), Stream{Count: 5, Size: MinSize}, 1)
	if !errors.Is(err, driver.ErrTimeout) || done.Sent != 1 {
		t.Fatalf("%+v, %v", done, err)
	}
	time.AfterFunc(5*time.Millisecond, left.shut)
	if done, err = Pace(left, soon(), Stream{Count: 5, Size: MinSize}, 0.001); !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("%+v, %v", done, err)
	}
}

func TestProxyPassesBothWaysUntilASocketCloses(t *testing.T) {
	client, front := wire()
	back, server := wire()
	ended := make(chan driver.Passed, 1)
	go func() {
		done, err := Proxy(Loop{front, back, soon()}, front, back, soon())
		if err != nil {
			t.Error(err)
		}
		ended <- *done
	}()
	for range 3 {
		_ = sendOne(client, soon(), driver.Message{[]byte("request")})
		if _, err := receiveOne(server, soon()); err != nil {
			t.Fatal(err)
		}
	}
	_ = sendOne(server, soon(), driver.Message{[]byte("reply")})
	if _, err := receiveOne(client, soon()); err != nil {
		t.Fatal(err)
	}
	back.shut()
	if done := <-ended; done != (driver.Passed{Forward: 3, Backward: 1}) {
		t.Fatalf("%+v", done)
	}
}

func TestProxyLeavesOutWhatASocketCannotDo(t *testing.T) {
	_, front := wire()
	back, _ := wire()
	front.Type, back.Type = "PULL", "PUSH"
	_ = sendOne(Socket{Socket: &queue{out: back.Socket.(*queue).in}}, soon(), frame(0, 0))
	late := time.Now().Add(30 * time.Millisecond)
	done, err := Proxy(Loop{front, back, late}, front, back, late)
	if !errors.Is(err, driver.ErrTimeout) || done.Backward != 0 {
		t.Fatalf("%+v, %v", done, err)
	}
}
