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
	late := false
	select {
	case <-ended:
	case <-front.Closed:
	case <-back.Closed:
	case <-timer.C:
		late = true
	}
	close(stop)
	<-ended
	switch {
	case late && err == nil:
		err = driver.ErrTimeout
	case errors.Is(err, driver.ErrClosed) && (front.isClosed() || back.isClosed()):
		err = nil // the usual end; a context that ended is another matter
	}
	return passed, err
}

func (s Socket) isClosed() bool {
	select {
	case <-s.Closed:
		return true
	default:
		return false
	}
}
