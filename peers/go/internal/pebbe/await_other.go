//go:build cgo && !linux

package pebbe

import (
	"time"

	zmq "github.com/pebbe/zmq4"
)

// await waits until there may be a message. zmq_poll counts in milliseconds: the last one spins.
func (c *conversation) await(left time.Duration) {
	_, _ = c.poller.Update(0, zmq.POLLIN)
	_, _ = c.poller.Poll(left)
}
