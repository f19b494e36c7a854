package workload

import (
	"sync"
	"time"
)

// Member is a socket of a swarm.
type Member struct {
	Socket
	Connect func() error
	Leave   func(discard bool) // closes the socket; discard throws away what has not gone out
}

// Swarm has workers open a socket each, connect it, and send stream.Count messages as fast as the library
// takes them, with the worker's number for a source. Everything of a worker happens on its own goroutine,
// beside the others. The time runs from the moment that all are connected until all have sent.
func Swarm(deadline time.Time, workers int, stream Stream, open func() (*Member, error)) (Sent, error) {
	members, errs, sent := make([]*Member, workers), make([]error, workers), make([]Sent, workers)
	each := func(work func(i int)) {
		var all sync.WaitGroup
		for i := range workers {
			all.Add(1)
			go func() {
				defer all.Done()
				work(i)
			}()
		}
		all.Wait()
	}
	each(func(i int) {
		if members[i], errs[i] = open(); errs[i] == nil {
			errs[i] = members[i].Connect()
		}
	})
	start := time.Now()
	if first(errs...) == nil {
		each(func(i int) {
			own := stream
			own.Source = uint64(i)
			sent[i], errs[i] = Flood(members[i].Socket, deadline, own)
		})
	}
	total := Sent{NS: time.Since(start).Nanoseconds()}
	each(func(i int) {
		if members[i] != nil {
			members[i].Leave(errs[i] != nil)
		}
	})
	for i := range sent {
		total.Sent += sent[i].Sent
	}
	return total, first(errs...)
}

// first gives the first error that is one.
func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
