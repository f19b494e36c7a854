//go:build cgo

package pebbe

import "time"

// await waits until there may be a message, with more precision than zmq_poll's milliseconds. The last
// receive found none, so that the next event makes the socket's descriptor readable.
func (c *conversation) await(left time.Duration) {
	if c.descriptor == 0 {
		descriptor, err := c.socket.GetFd()
		if err != nil {
			time.Sleep(left)
			return
		}
		c.descriptor = descriptor
	}
	c.alarm().Await(c.descriptor, left)
}
