// Command peer-gozeromq drives github.com/go-zeromq/zmq4 over the peer contract.
package main

import (
	"zmq-interop/peers/go/internal/gozeromq"
	"zmq-interop/peers/go/internal/server"
)

func main() { server.Main(gozeromq.New()) }
