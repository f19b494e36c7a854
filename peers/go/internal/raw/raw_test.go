package raw

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

func soon() time.Time { return time.Now().Add(10 * time.Second) }

// connected gives a bound socket and the plain connection that it accepted.
func connected(t *testing.T) (*Socket, net.Conn) {
	t.Helper()
	s := New()
	t.Cleanup(func() { _ = s.Close() })
	endpoint, err := s.Bind("tcp://127.0.0.1:*")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(endpoint, "tcp://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return s, conn
}

func TestSendWritesAllFramesOneAfterTheOther(t *testing.T) {
	s, conn := connected(t)
	frames := driver.Message{[]byte("ab"), {}, []byte("c")}
	sent, err := s.Send(soon(), "", driver.One(frames))
	if sent != 1 || err != nil {
		t.Fatalf("%d, %v", sent, err)
	}
	if string(frames[0]) != "ab" {
		t.Error("the message was used up")
	}
	got := make([]byte, 3)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestBytesThatCameBeforeATimeoutBelongToTheNextCall(t *testing.T) {
	s, conn := connected(t)
	for _, part := range []string{"a", "b"} {
		_, _ = conn.Write([]byte(part))
		if _, err := s.ReceiveBytes(time.Now().Add(30*time.Millisecond), 3); !errors.Is(err, driver.ErrTimeout) {
			t.Fatalf("got %v", err)
		}
	}
	_, _ = conn.Write([]byte("cd"))
	for _, want := range []string{"ab", "c", "d"} {
		if got, err := s.ReceiveBytes(soon(), len(want)); err != nil || string(got) != want {
			t.Fatalf("%q, %v", got, err)
		}
	}
}

func TestAClosedConnectionGivesWhatCame(t *testing.T) {
	s, conn := connected(t)
	_, _ = conn.Write([]byte("abc"))
	_ = conn.Close()
	got, err := s.ReceiveBytes(soon(), 5)
	if !errors.Is(err, driver.ErrClosed) || string(got) != "abc" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestABoundSocketAcceptsOneConnection(t *testing.T) {
	s, first := connected(t)
	if _, err := s.Bind("tcp://127.0.0.1:*"); !errors.Is(err, &driver.Error{Name: driver.State}) {
		t.Errorf("a second bind: %v", err)
	}
	if _, err := s.Send(soon(), "", driver.One(driver.Message{[]byte("x")})); err != nil { // it has accepted
		t.Fatal(err)
	}
	if second, err := net.Dial("tcp", first.RemoteAddr().String()); err == nil {
		_ = second.Close()
		t.Error("it still listens")
	}
}

func TestCloseEndsWhatWaits(t *testing.T) {
	for name, wait := range map[string]func(*Socket) error{
		"for a connection": func(s *Socket) error {
			if _, err := s.Bind("tcp://127.0.0.1:*"); err != nil {
				return err
			}
			_, err := s.ReceiveBytes(time.Time{}, 1)
			return err
		},
		"without one": func(s *Socket) error {
			_, err := s.Send(time.Time{}, "", driver.One(driver.Message{[]byte("x")}))
			return err
		},
	} {
		s := New()
		time.AfterFunc(10*time.Millisecond, func() { _ = s.Close() })
		if err := wait(s); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, end := range map[string]func(*Socket){
		"with one": func(s *Socket) { _ = s.Close() }, "abandoned": (*Socket).Abandon,
	} {
		s, _ := connected(t)
		time.AfterFunc(10*time.Millisecond, func() { end(s) })
		if _, err := s.ReceiveBytes(soon(), 1); !errors.Is(err, driver.ErrClosed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestARefusedConnectionCanBeTriedAgain(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	endpoint := "tcp://" + listener.Addr().String()
	_ = listener.Close()
	s := New()
	defer func() { _ = s.Close() }()
	for range 2 {
		if err := s.Connect(endpoint); !errors.Is(err, &driver.Error{Name: driver.Failed}) {
			t.Errorf("got %v", err)
		}
	}
}

func TestATalkTakesSoManyBytesForAMessage(t *testing.T) {
	s, conn := connected(t)
	_, _ = conn.Write([]byte("abcdef"))
	err := s.TalkBytes(soon(), 4, func(with driver.Conversation) error {
		message, err := with.Receive()
		if err != nil || len(message) != 1 || string(message[0]) != "abcd" {
			t.Errorf("%q, %v", message, err)
		}
		return with.Send(message)
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.TalkBytes(time.Now().Add(30*time.Millisecond), 4, func(with driver.Conversation) error {
		_, err := with.Receive()
		return err
	})
	if !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("half a message: %v", err)
	}
	if got, err := s.ReceiveBytes(soon(), 2); err != nil || string(got) != "ef" {
		t.Fatalf("%q, %v", got, err)
	}
	got := make([]byte, 4)
	if _, err := io.ReadFull(conn, got); err != nil || string(got) != "abcd" {
		t.Fatalf("%q, %v", got, err)
	}
}

func TestAUnixConnectionLeavesNoFile(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("there may be no Unix sockets")
	}
	path := filepath.Join(t.TempDir(), "s")
	bound, dialled := New(), New()
	if endpoint, err := bound.Bind("ipc://" + path); err != nil || endpoint != "ipc://"+path {
		t.Fatalf("%s, %v", endpoint, err)
	}
	if err := dialled.Connect("ipc://" + path); err != nil {
		t.Fatal(err)
	}
	if _, err := dialled.Send(soon(), "", driver.One(driver.Message{[]byte("x")})); err != nil {
		t.Fatal(err)
	}
	if got, err := bound.ReceiveBytes(soon(), 1); err != nil || string(got) != "x" {
		t.Fatalf("%q, %v", got, err)
	}
	_, _ = bound.Close(), dialled.Close()
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the socket file: %v", err)
	}
}

func TestARawSocketIsAStream(t *testing.T) {
	if _, err := New().Bind("inproc://a"); !errors.Is(err, &driver.Error{Name: driver.Unsupported}) {
		t.Errorf("got %v", err)
	}
}
