package workload

import (
	"sync"
	"sync/atomic"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// How workers may share a socket.
const (
	Mutex    = "mutex"    // one lock around each whole message
	Handover = "handover" // one worker after the other
	None     = "none"     // no protection at all: misuse, which may end the process
)

// Share has workers send stream.Count messages each on one socket, with the worker's number for a source.
// They call the library's own blocking send directly. Whoever is still in one at the deadline, or when
// the socket closes, is left to it.
func Share(socket Socket, deadline time.Time, workers int, stream Stream, how string) (Sent, error) {
	start := time.Now()
	var sent atomic.Int64
	stop, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- socket.Socket.(driver.Lender).Lend(stop, func(send func(driver.Message) error) error {
			return crowd(workers, how, func(worker int, lock sync.Locker) error {
				own := stream
				own.Source = uint64(worker)
				for i := range own.Count {
					message := own.message(uint64(i))
					select {
					case <-stop:
						return driver.ErrTimeout
					default:
					}
					lock.Lock()
					err := send(message)
					lock.Unlock()
					if err != nil {
						return err
					}
					sent.Add(1)
				}
				return nil
			})
		})
	}()
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	var err error
	select {
	case err = <-ended:
	case <-socket.Closed:
		err = driver.ErrClosed
	case <-timer.C:
		err = driver.ErrTimeout
	}
	close(stop)
	return Sent{sent.Load(), time.Since(start).Nanoseconds()}, err
}

// crowd runs the workers, and gives the first error of them by number.
func crowd(workers int, how string, work func(worker int, lock sync.Locker) error) error {
	var all sync.WaitGroup
	var lock sync.Locker = new(sync.Mutex)
	if how != Mutex {
		lock = unlocked{}
	}
	errs := make([]error, workers)
	before := make(chan struct{}) // closed when the worker before has finished
	close(before)
	for i := range workers {
		turn, done := before, make(chan struct{})
		all.Add(1)
		go func() {
			defer all.Done()
			defer close(done)
			if how == Handover {
				<-turn
			}
			errs[i] = work(i, lock)
		}()
		before = done
	}
	all.Wait()
	return first(errs...)
}

type unlocked struct{}

func (unlocked) Lock()   {}
func (unlocked) Unlock() {}
