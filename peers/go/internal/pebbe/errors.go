//go:build cgo

package pebbe

import (
	"errors"
	"runtime"
	"syscall"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// eagain is the C library's EAGAIN. On Windows Go's own constant is another, invented number.
var eagain = func() zmq.Errno {
	if runtime.GOOS == "windows" {
		return 11
	}
	return zmq.Errno(syscall.EAGAIN)
}()

// names are the contract's names for libzmq's error numbers; any other is an error of the library.
var names = map[zmq.Errno]driver.Name{
	eagain:              driver.Timeout,
	zmq.EFSM:            driver.State,
	zmq.EHOSTUNREACH:    driver.Unroutable,
	zmq.ENOTSUP:         driver.Unsupported,
	zmq.EPROTONOSUPPORT: driver.Unsupported,
	zmq.ENOCOMPATPROTO:  driver.Unsupported,
	zmq.ETERM:           driver.Closed,
}

func report(err error) error {
	if err == nil {
		return nil
	}
	var known *driver.Error
	if errors.As(err, &known) {
		return err
	}
	var errno zmq.Errno
	if !errors.As(err, &errno) {
		if errors.Is(err, zmq.ErrorNotImplemented41) || errors.Is(err, zmq.ErrorNotImplemented42) {
			return driver.ErrUnsupported(err.Error())
		}
		return driver.Wrap(err)
	}
	name, ok := names[errno]
	if !ok {
		name = driver.Failed
	}
	return &driver.Error{Name: name, Errno: int(errno), Text: errno.Error()}
}

// endpointError is the error of a bind or a connect, where EINVAL speaks of the endpoint.
func endpointError(err error) error {
	if err != zmq.Errno(syscall.EINVAL) {
		return err
	}
	return &driver.Error{Name: driver.Invalid, Errno: int(syscall.EINVAL), Text: err.Error()}
}

// again reports whether a call that must not wait would have had to.
func again(err error) bool { return err == eagain }
