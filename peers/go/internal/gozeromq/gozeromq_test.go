package gozeromq_test

import (
	"testing"

	"zmq-interop/peers/go/internal/drivertest"
	"zmq-interop/peers/go/internal/gozeromq"
)

func TestDriver(t *testing.T) { drivertest.Run(t, gozeromq.New()) }
