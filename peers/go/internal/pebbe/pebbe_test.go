//go:build cgo

package pebbe_test

import (
	"testing"

	"zmq-interop/peers/go/internal/drivertest"
	"zmq-interop/peers/go/internal/pebbe"
)

func TestDriver(t *testing.T) { drivertest.Run(t, pebbe.New()) }
