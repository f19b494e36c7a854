// Command server answers every request with OK, until its standard input ends.
//
//	server [endpoint]     default tcp://127.0.0.1:*
package main

import (
	"fmt"
	"io"
	"log"
	"os"

	"github.com/pebbe/zmq4"
)

func main() {
	endpoint := "tcp://127.0.0.1:*"
	if len(os.Args) > 1 {
		endpoint = os.Args[1]
	}
	if err := serve(endpoint); err != nil {
		log.Fatal(err)
	}
}

func serve(endpoint string) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.REP)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.Bind(endpoint); err != nil {
		return err
	}
	bound, err := sock.GetLastEndpoint()
	if err != nil {
		return err
	}
	fmt.Println(bound)
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = ctx.Term() // ends Recv below with ETERM; returns when the socket is closed
	}()
	for {
		msg, err := sock.Recv(0)
		if zmq4.AsErrno(err) == zmq4.ETERM {
			return nil
		}
		if err != nil {
			return err
		}
		fmt.Printf("received: %s\n", msg)
		if _, err := sock.Send("OK", 0); err != nil {
			return err
		}
	}
}
