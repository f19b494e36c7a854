package process

import (
	"io"
	"os"
	"runtime"
	"testing"
	"time"
)

// stops is how often the world is stopped. Go 1.26 and 1.27 hang within 50,000 times where a goroutine reads in
// blocking system calls.
const stops = 200_000

// stopping answers each stop of the world with a byte, which it gets back, so that its reader always enters a read
// while the world is stopped.
type stopping struct {
	*testServer
	out io.Writer
}

func (s *stopping) Serve(in io.Reader) {
	go func() { _, _ = io.Copy(io.Discard, in) }()
	var stats runtime.MemStats
	for turn := range stops {
		if _, err := s.out.Write([]byte{0}); err != nil {
			return
		}
		for range turn % 2000 {
			runtime.KeepAlive(turn)
		}
		runtime.ReadMemStats(&stats)
	}
}

func TestTheWorldCanBeStoppedWhileTheInputIsAwaited(t *testing.T) {
	c := start(t, "stopping")
	go func() { _, _ = io.Copy(c.in.(io.Writer), c.out) }()
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(time.Minute):
		_ = c.Process.Signal(os.Kill)
		t.Error("the process hangs")
	}
}
