package workload

import (
	"sync"
	"sync/atomic"
	"time"
)

// Work beside the sockets.
const (
	Spin     = "spin"     // a loop without calls
	Allocate = "allocate" // a new buffer each round, kept for the next 64
	Reuse    = "reuse"    // the same with buffers from a pool
)

const (
	besideKept  = 64
	besideRound = 1 << 16 // turns of the loop that spins: some 20 µs
)

// Beside works on so many goroutines, for a time or until stop closes, and says how many rounds they made.
func Beside(how string, threads, bytes int, wait time.Duration, stop <-chan struct{}) int64 {
	var over atomic.Bool
	var rounds atomic.Int64
	round := map[string]func() func(){
		Spin: func() func() { return spin },
		Allocate: func() func() {
			return keeping(func() *[]byte {
				fresh := make([]byte, bytes)
				return &fresh
			}, func(*[]byte) {})
		},
		Reuse: func() func() {
			pool := sync.Pool{New: func() any {
				fresh := make([]byte, bytes)
				return &fresh
			}}
			return keeping(func() *[]byte { return pool.Get().(*[]byte) }, func(b *[]byte) { pool.Put(b) })
		},
	}[how]
	var all sync.WaitGroup
	for range threads {
		all.Add(1)
		go func() {
			defer all.Done()
			work := round()
			for !over.Load() {
				work()
				rounds.Add(1)
			}
		}()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-stop:
	}
	over.Store(true)
	all.Wait()
	return rounds.Load()
}

var spun atomic.Uint64 // what a loop has found out must be of use, else it is no loop

func spin() {
	x := uint64(1)
	for range besideRound {
		x = x*6364136223846793005 + 1442695040888963407
	}
	spun.Store(x)
}

// keeping is a round that takes a buffer, writes to it, and gives back the one of 64 rounds before.
func keeping(take func() *[]byte, give func(*[]byte)) func() {
	var kept [besideKept]*[]byte
	i := 0
	return func() {
		if kept[i] != nil {
			give(kept[i])
		}
		kept[i] = take()
		(*kept[i])[0]++
		i = (i + 1) % besideKept
	}
}
