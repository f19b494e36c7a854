package workload

import (
	"errors"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Proxy runs a proxy between two sockets until either is closed or it ends by itself. What it passed is
// nil if the library could not tell.
func Proxy(proxy driver.Proxy, front, back Socket, deadline time.Time) (passed *driver.Passed, err error) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		passed, err = proxy.Run(stop)
	}()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	late, closed := false, false
	select {
	case <-ended:
	case <-front.Closed:
		closed = true
	case <-back.Closed:
		closed = true
	case <-timer.C:
		late = true
	}
	close(stop)
	<-ended
	switch {
	case late && err == nil:
		err = driver.ErrTimeout
	case !late && isClosed(front, back, closed) && errors.Is(err, driver.ErrClosed):
		err = nil // the usual end
	}
	return passed, err
}

// isClosed tells whether the proxy ended because a socket was closed, not because a context ended.
func isClosed(front, back Socket, closed bool) bool {
	select {
	case <-front.Closed:
		return true
	case <-back.Closed:
		return true
	default:
		return closed
	}
}
