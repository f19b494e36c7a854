//go:build cgo

package pebbe

import (
	"fmt"
	"sync"

	zmq "github.com/pebbe/zmq4"
)

// bell wakes a goroutine that waits in zmq_poll: a pair of inproc sockets, one of which is polled.
type bell struct {
	rope, clapper *zmq.Socket
}

// ring wakes the waiting goroutine. Each ring must be matched by one hush.
func (b *bell) ring() { _, _ = b.rope.SendBytes([]byte{1}, 0) }

// hush takes back one ring, waiting for it if it is still on its way.
func (b *bell) hush() { _, _ = b.clapper.RecvBytes(0) }

func (b *bell) close() { _, _ = b.rope.Close(), b.clapper.Close() }

// bells keeps bells for reuse: making one costs more than most calls. They live in a context of their
// own, which is not one of the peer's contexts and ends with the process.
type bells struct {
	mu      sync.Mutex
	context *zmq.Context
	made    int
	free    []*bell
}

// maxBells is half the number of sockets that their context allows.
const maxBells = 16_384

func (b *bells) take() (*bell, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.free); n > 0 {
		bell := b.free[n-1]
		b.free = b.free[:n-1]
		return bell, nil
	}
	return b.cast()
}

// make makes a new bell, for whoever will not give it back as it was. The caller closes it.
func (b *bells) make() (*bell, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.cast()
}

// cast makes a new bell. The caller holds the lock.
func (b *bells) cast() (*bell, error) {
	if b.context == nil {
		context, err := zmq.NewContext()
		if err != nil {
			return nil, err
		}
		_ = context.SetIoThreads(0) // inproc needs none
		_ = context.SetMaxSockets(2 * maxBells)
		b.context = context
	}
	b.made++
	endpoint := fmt.Sprintf("inproc://bell-%d", b.made)
	clapper, err := b.context.NewSocket(zmq.PAIR)
	if err != nil {
		return nil, err
	}
	rope, err := b.context.NewSocket(zmq.PAIR)
	if err != nil {
		_ = clapper.Close()
		return nil, err
	}
	if err = clapper.Bind(endpoint); err == nil {
		err = rope.Connect(endpoint)
	}
	if err != nil {
		_, _ = clapper.Close(), rope.Close()
		return nil, err
	}
	return &bell{rope: rope, clapper: clapper}, nil
}

func (b *bells) give(bell *bell) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.free = append(b.free, bell)
}
