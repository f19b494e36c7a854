//go:build cgo

// Command peer-pebbe drives github.com/pebbe/zmq4, and with it libzmq, over the peer contract.
package main

import (
	"zmq-interop/peers/go/internal/pebbe"
	"zmq-interop/peers/go/internal/server"
)

func main() { server.Main(pebbe.New()) }
