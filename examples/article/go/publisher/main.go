// Command publisher publishes a topic and some data every 20 ms, until its standard input ends.
//
//	publisher [endpoint]     default tcp://127.0.0.1:*
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-zeromq/zmq4"
)

func main() {
	endpoint := "tcp://127.0.0.1:*"
	if len(os.Args) > 1 {
		endpoint = os.Args[1]
	}
	if err := publish(endpoint); err != nil {
		log.Fatal(err)
	}
}

func publish(endpoint string) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		close(ended)
	}()
	pub := zmq4.NewPub(context.Background(), zmq4.WithID(zmq4.SocketIdentity("pub")))
	defer pub.Close()
	if err := pub.Listen(endpoint); err != nil {
		return err
	}
	fmt.Printf("tcp://%s\n", pub.Addr())
	for {
		for _, topic := range []string{"topic1", "topic2"} {
			if err := pub.Send(zmq4.NewMsgFrom([]byte(topic), []byte("data"))); err != nil {
				return err
			}
		}
		select {
		case <-ended:
			return nil
		case <-time.After(20 * time.Millisecond): // a PUB does not know when its subscribers are there
		}
	}
}
