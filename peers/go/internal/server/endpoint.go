package server

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/raw"
)

// endpoints checks endpoints and chooses names for wildcards (section 4, "bind"). Ports are the
// operating system's choice, so a TCP wildcard stays one.
type endpoints struct {
	workdir    string
	pid        int
	transports []string
	raw        []string // transports of RAW
	chosen     atomic.Int64
}

func newEndpoints(workdir string, transports []string) *endpoints {
	e := &endpoints{workdir: workdir, pid: os.Getpid(), transports: transports}
	for _, transport := range transports {
		if strings.HasPrefix(transport, "tcp") {
			e.raw = append(e.raw, transport)
		}
	}
	if runtime.GOOS != "windows" {
		e.raw = append(e.raw, "ipc")
	}
	if runtime.GOOS == "linux" {
		e.raw = append(e.raw, "ipc-abstract")
	}
	return e
}

// of gives the transports of a socket.
func (e *endpoints) of(socket driver.Socket) []string {
	if _, ok := socket.(*raw.Socket); ok {
		return e.raw
	}
	return e.transports
}

// forBind gives the endpoint to bind to over one of these transports.
func (e *endpoints) forBind(endpoint string, transports []string) (string, error) {
	if err := e.check(endpoint, true, transports); err != nil {
		return "", err
	}
	switch endpoint {
	case "ipc://*":
		name := strconv.FormatInt(e.chosen.Add(1), 10) + ".sock"
		return "ipc://" + filepath.Join(e.workdir, name), nil
	case "ipc://@*":
		return fmt.Sprintf("ipc://@zmq-interop-%d-%d", e.pid, e.chosen.Add(1)), nil
	case "inproc://*":
		return fmt.Sprintf("inproc://zmq-interop-%d", e.chosen.Add(1)), nil
	}
	return endpoint, nil
}

// forConnect gives the endpoint to connect to, which is no wildcard.
func (e *endpoints) forConnect(endpoint string, transports []string) (string, error) {
	return endpoint, e.check(endpoint, false, transports)
}

func (e *endpoints) check(endpoint string, bind bool, transports []string) error {
	transport, address, ok := strings.Cut(endpoint, "://")
	if !ok || transport == "" || address == "" {
		return driver.ErrInvalid(fmt.Sprintf("%q is not an endpoint", endpoint))
	}
	switch {
	case transport == "tcp":
		if strings.HasPrefix(address, "[") {
			transport = "tcp6"
		}
		if !isHostPort(address, bind) {
			return driver.ErrInvalid(fmt.Sprintf("%q is not a TCP endpoint", endpoint))
		}
	case transport == "ipc" && address[0] == '@':
		transport = "ipc-abstract"
		address = address[1:]
	}
	if !bind && address == "*" || address == "" {
		return driver.ErrInvalid(fmt.Sprintf("%q is no endpoint to connect to", endpoint))
	}
	if !slices.Contains(transports, transport) {
		return driver.ErrUnsupported("there is no transport " + transport)
	}
	return nil
}

// isHostPort reports whether the address is a host and a port, which a wildcard may stand for.
func isHostPort(address string, wildcard bool) bool {
	colon := strings.LastIndexByte(address, ':')
	if colon < 1 {
		return false
	}
	port := address[colon+1:]
	if port == "*" || port == "0" {
		return wildcard
	}
	number, err := strconv.ParseUint(port, 10, 16)
	return err == nil && number > 0
}
