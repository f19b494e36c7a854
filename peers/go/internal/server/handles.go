package server

import (
	"fmt"
	"sync"

	"zmq-interop/peers/go/internal/driver"
)

// handle is an open socket as the harness knows it.
type handle struct {
	number     int64
	socketType string
	socket     driver.Socket
	sends      lane
	receives   lane
	events     lane
	steering   steering
	closed     chan struct{} // closed as soon as close is asked for
}

// handles are the sockets. Numbers are never used twice.
type handles struct {
	mu      sync.Mutex
	last    int64
	live    map[int64]*handle // can be called
	open    int               // live, or still closing
	refuses bool              // the peer is quitting
}

// add gives a socket its number. It refuses when the peer is quitting.
func (h *handles) add(socketType string, socket driver.Socket) (*handle, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.refuses {
		return nil, false
	}
	h.last++
	entry := &handle{
		number: h.last, socketType: socketType, socket: socket, closed: make(chan struct{}),
	}
	if h.live == nil {
		h.live = make(map[int64]*handle)
	}
	h.live[entry.number] = entry
	h.open++
	return entry, true
}

// get finds a socket: a number never given out is invalid, one that was is closed.
func (h *handles) get(number int64) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.find(number)
}

func (h *handles) find(number int64) (*handle, error) {
	if entry, ok := h.live[number]; ok {
		return entry, nil
	}
	if number < 1 || number > h.last {
		return nil, driver.ErrInvalid(fmt.Sprintf("socket %d was never given out", number))
	}
	return nil, driver.ErrClosed
}

// retire makes a socket answer "closed" from now on. The caller closes it and then calls gone.
func (h *handles) retire(number int64) (*handle, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	entry, err := h.find(number)
	if err != nil {
		return nil, err
	}
	delete(h.live, number)
	close(entry.closed)
	return entry, nil
}

// gone notes that a retired socket is closed.
func (h *handles) gone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open--
}

// count is the number of sockets that are open now.
func (h *handles) count() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.open
}

// nameless notes sockets that have no handle, or that they are gone.
func (h *handles) nameless(more int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.open += more
}

// retireAll retires every socket and refuses new ones.
func (h *handles) retireAll() []*handle {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.refuses = true
	var all []*handle
	for number, entry := range h.live {
		delete(h.live, number)
		close(entry.closed)
		all = append(all, entry)
	}
	return all
}
