package workload

import (
	"sync"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

// Calling says what Callers do.
type Calling struct {
	Type     string
	Clients  int
	Count    int64
	Size     int
	Patience time.Duration // with one request
	Stop     <-chan struct{}
	Opened   func(more int) // is told of sockets that are there, or gone
}

// Called is the result of Callers.
type Called struct {
	Answered int64                 `json:"answered"`
	Errors   map[driver.Name]int64 `json:"errors"`
	NS       int64                 `json:"ns"`
	HDR      Histogram             `json:"hdr"`
}

// Callers has all clients ask and wait for the answer, Count times, at the same time. The clock starts when all
// have had an answer that does not count. A client stops at its first error.
func Callers(job Calling, crews driver.Callers) (Called, error) {
	run := &calling{Calling: job, base: time.Now()}
	run.done = Called{Errors: make(map[driver.Name]int64), HDR: newHistogram()}
	n := min(job.Clients, crews.Crews())
	all := make([]*crew, n)
	for i := range all {
		first, last := i*job.Clients/n, (i+1)*job.Clients/n
		all[i] = &crew{calling: run, Crew: crews.Crew(), first: first, clients: make([]caller, last-first)}
	}
	left := make(chan struct{})
	go func() {
		select {
		case <-job.Stop:
			for _, crew := range all {
				crew.Interrupt()
			}
		case <-left:
		}
	}()
	each := func(work func(*crew)) {
		var crews sync.WaitGroup
		for _, crew := range all {
			crews.Add(1)
			go func() {
				defer crews.Done()
				work(crew)
			}()
		}
		crews.Wait()
	}
	gate := make(chan struct{}, atOnce)
	each(func(c *crew) { c.connect(gate) })
	start := time.Now()
	each((*crew).work)
	run.done.NS = time.Since(start).Nanoseconds()
	close(left)
	each(func(c *crew) {
		c.Close()
		job.Opened(-c.opened)
	})
	if err := crews.Close(); err != nil {
		return run.done, err
	}
	return run.done, nil
}

// atOnce is how many clients connect at the same time: fewer than wait in the shortest queue of a listener.
const atOnce = 64

// calling is what the crews share. Times are since base.
type calling struct {
	Calling
	base time.Time

	mu   sync.Mutex
	done Called
}

// caller is a client at work.
type caller struct {
	asked    time.Duration
	answered int64 // the first one does not count
	waiting  bool
}

// crew is some clients, worked by one goroutine.
type crew struct {
	*calling
	driver.Crew
	first   int // its first client's number among all
	clients []caller
	opened  int
	waiting int // clients that wait for an answer
}

// connect opens the clients, one after another with its first request.
func (c *crew) connect(gate chan struct{}) {
	for i := range c.clients {
		gate <- struct{}{}
		if err := c.Add(time.Now().Add(c.Patience)); err != nil {
			c.failed(err)
		} else {
			c.opened++
			c.Opened(1)
			c.ask(i)
			c.serve(1)
		}
		<-gate
	}
}

// work has the clients that are still there do their requests.
func (c *crew) work() {
	for i := range c.clients {
		if c.clients[i].answered == 1 {
			c.ask(i)
		}
	}
	c.serve(1 + c.Count)
}

// request is shaped as in flood, behind the empty frame that a REQ has by itself.
func (c *crew) request(i int) driver.Message {
	stream := Stream{Size: c.Size, Source: uint64(c.first + i)}
	if c.Type == "DEALER" {
		stream.Prefix = driver.Message{{}}
	}
	return stream.message(uint64(c.clients[i].answered))
}

func (c *crew) ask(i int) {
	client := &c.clients[i]
	request := c.request(i)
	client.asked = time.Since(c.base)
	if err := c.Send(i, request); err != nil {
		c.failed(err)
		return
	}
	client.waiting = true
	c.waiting++
}

// serve takes answers and asks anew, until nobody waits. A client stops after so many answers.
func (c *crew) serve(enough int64) {
	for c.waiting > 0 {
		moment := c.expire()
		if c.waiting == 0 {
			return
		}
		err := c.Receive(c.base.Add(moment), func(i int, answer driver.Message, err error) {
			client := &c.clients[i]
			now := time.Since(c.base)
			if !client.waiting {
				return
			}
			client.waiting = false
			c.waiting--
			if err == nil && !right(answer, c.request(i), 0, 0) {
				err = &driver.Error{Name: driver.Failed, Text: "an answer to another request"}
			}
			if err != nil {
				c.failed(err)
				return
			}
			if client.answered++; client.answered > 1 {
				c.note(now - client.asked)
			}
			if client.answered < enough {
				c.ask(i)
			}
		})
		if err != nil { // of them all
			for range c.waiting {
				c.failed(err)
			}
			c.waiting = 0
			clear(c.clients) // nor does anybody ask again
		}
	}
}

// expire gives up the clients whose time is over, and tells when the next one's will be.
func (c *crew) expire() (next time.Duration) {
	now := time.Since(c.base)
	next = now + c.Patience
	for i := range c.clients {
		client := &c.clients[i]
		if !client.waiting {
			continue
		}
		end := client.asked + c.Patience
		if end > now {
			next = min(next, end)
			continue
		}
		client.waiting, client.answered = false, 0
		c.waiting--
		c.failed(driver.ErrTimeout)
	}
	return next
}

func (c *calling) failed(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done.Errors[driver.Wrap(err).Name]++
}

func (c *calling) note(took time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.done.Answered++
	c.done.HDR.note(took.Nanoseconds())
}
