// Command client sends one request and prints its reply.
//
//	client endpoint
package main

import (
	"fmt"
	"log"
	"os"
	"time"

	"github.com/pebbe/zmq4"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: client endpoint")
	}
	if err := ask(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func ask(endpoint string) error {
	ctx, err := zmq4.NewContext()
	if err != nil {
		return err
	}
	sock, err := ctx.NewSocket(zmq4.REQ)
	if err != nil {
		return err
	}
	defer sock.Close()
	if err := sock.SetRcvtimeo(30 * time.Second); err != nil {
		return err
	}
	if err := sock.Connect(endpoint); err != nil {
		return err
	}
	if _, err := sock.Send("Hello", 0); err != nil {
		return err
	}
	reply, err := sock.Recv(0)
	if err != nil {
		return err
	}
	fmt.Printf("reply: %s\n", reply)
	return nil
}
