package process

import (
	"bufio"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// This test binary is also the process under test: with this variable, it runs a server of that kind.
const kind = "ZMQ_INTEROP_TEST_SERVER"

// testServer writes its working directory, serves until the end of input, and closes well or never.
type testServer struct {
	stuck  bool
	broken chan struct{}
}

func (s *testServer) Serve(in io.Reader)      { _, _ = io.Copy(io.Discard, in) }
func (s *testServer) Broken() <-chan struct{} { return s.broken }
func (s *testServer) Close() {
	if s.stuck {
		select {}
	}
}

func TestMain(m *testing.M) {
	which := os.Getenv(kind)
	if which == "" {
		os.Exit(m.Run())
	}
	os.Exit(Run(func(workdir string, out io.Writer) Server {
		s := &testServer{stuck: which == "stuck", broken: make(chan struct{})}
		if which == "stopping" {
			_, _ = io.WriteString(out, workdir+"\n")
			return &stopping{s, out}
		}
		if _, err := io.WriteString(out, workdir+"\n"); err != nil || which == "broken" {
			close(s.broken)
		}
		return s
	}))
}

type child struct {
	*exec.Cmd
	in      io.Closer
	out     io.Reader
	workdir string
}

func start(t *testing.T, which string) child {
	t.Helper()
	c := child{Cmd: exec.Command(os.Args[0])}
	c.Env = append(os.Environ(), kind+"="+which, "GORACE=atexit_sleep_ms=0")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	c.in = in
	lines := bufio.NewReader(out)
	c.out = lines
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	c.workdir = strings.TrimSpace(line)
	return c
}

// gone checks that the process leaves within the time, with code 0, and without its directory.
func (c child) gone(t *testing.T, within time.Duration) {
	t.Helper()
	asked := time.Now()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
	if took := time.Since(asked); took > within {
		t.Errorf("it took %v", took)
	}
	if _, err := os.Stat(c.workdir); !os.IsNotExist(err) {
		t.Errorf("%s is still there", c.workdir)
	}
}

func TestTheEndOfInputEndsTheProcess(t *testing.T) {
	c := start(t, "good")
	if info, err := os.Stat(c.workdir); err != nil || !info.IsDir() {
		t.Fatalf("no working directory: %v", err)
	}
	_ = c.in.Close()
	c.gone(t, 3*time.Second)
}

func TestASignalEndsTheProcess(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		c := start(t, "good")
		if err := c.Process.Signal(signal); err != nil {
			t.Skip(err) // Windows has no such signals between processes
		}
		c.gone(t, 3*time.Second)
	}
}

func TestABrokenOutputEndsTheProcess(t *testing.T) {
	start(t, "broken").gone(t, 3*time.Second)
}

func TestALibraryThatNeverClosesIsLeft(t *testing.T) {
	c := start(t, "stuck")
	_ = c.in.Close()
	c.gone(t, 5*time.Second)
}

func TestCounts(t *testing.T) {
	for name, count := range Counts() {
		if n, ok := count.(int64); ok && n <= 0 {
			t.Errorf("%s: %d", name, n)
		}
	}
	if runtime.GOOS != "linux" {
		return
	}
	counts := Counts()
	rss, uss := counts["rss"].(int64), counts["uss"].(int64)
	switches := counts["switches"].(map[string]int64)
	if uss <= 0 || uss > rss+1<<24 || switches["voluntary"] <= 0 {
		t.Errorf("%v", counts)
	}
}

func TestHandlesSayWhatTheyAre(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing tells")
	}
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = listener.Close() }()
	local, err := net.Listen("unix", "@zmq-interop-test-handles")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = local.Close() }()
	all := strings.Join(Handles(), "\n")
	for _, want := range []string{
		" socket tcp6 " + listener.Addr().String() + ">[::]:0 LISTEN", " socket unix @zmq-interop-test-handles LISTEN",
	} {
		if !strings.Contains(all, want) {
			t.Errorf("no %q in\n%s", want, all)
		}
	}
}

func TestTheRuntimeTellsOfItsCollections(t *testing.T) {
	before := Runtime()
	runtime.GC()
	after := Runtime()
	if after.Cycles <= before.Cycles || after.Pauses.Max <= 0 || after.Pauses.P50 > after.Pauses.P99 || after.Sched.P99 > after.Sched.Max {
		t.Errorf("%+v, %+v", before, after)
	}
}
