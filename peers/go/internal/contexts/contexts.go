// Package contexts counts the sockets of each library context and ends a context with its last one.
package contexts

import (
	"errors"
	"sync"
)

// Pool holds contexts of type T.
type Pool[T any] struct {
	begin func() (T, error)
	end   func(T) error

	mu    sync.Mutex
	named map[string]*Lease[T]
	open  int
}

// Lease is a context and the number of sockets that use it.
type Lease[T any] struct {
	Context T
	Name    string // "" if the context belongs to one socket alone
	users   int
}

// New makes a pool whose contexts begin and end with the two functions.
func New[T any](begin func() (T, error), end func(T) error) *Pool[T] {
	return &Pool[T]{begin: begin, end: end, named: make(map[string]*Lease[T])}
}

// Take leases the context of that name, beginning it if there is none. The name "" always begins one.
func (p *Pool[T]) Take(name string) (*Lease[T], error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if lease, ok := p.named[name]; ok && name != "" {
		lease.users++
		return lease, nil
	}
	context, err := p.begin()
	if err != nil {
		return nil, err
	}
	lease := &Lease[T]{Context: context, Name: name, users: 1}
	if name != "" {
		p.named[name] = lease
	}
	p.open++
	return lease, nil
}

// Begin begins the context of that name if there is none, without anyone using it. It ends with the last
// of its users to come, or with Close.
func (p *Pool[T]) Begin(name string) (*Lease[T], error) {
	lease, err := p.Take(name)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	lease.users--
	return lease, nil
}

// Drop ends a context that has begun and that nobody uses.
func (p *Pool[T]) Drop(lease *Lease[T]) error {
	p.mu.Lock()
	if lease.users > 0 {
		p.mu.Unlock()
		return nil
	}
	lease.users++
	p.mu.Unlock()
	return p.Release(lease)
}

// Find gives the lease of a named context without taking it.
func (p *Pool[T]) Find(name string) (*Lease[T], bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	lease, ok := p.named[name]
	return lease, ok
}

// Close ends the named contexts that nobody uses.
func (p *Pool[T]) Close() error {
	p.mu.Lock()
	var unused []*Lease[T]
	for _, lease := range p.named {
		if lease.users == 0 {
			lease.users++
			unused = append(unused, lease)
		}
	}
	p.mu.Unlock()
	var errs []error
	for _, lease := range unused {
		errs = append(errs, p.Release(lease))
	}
	return errors.Join(errs...)
}

// Release gives a lease back. The last one ends the context, which may take as long as it takes; from
// the moment of the call, the name stands for a new context.
func (p *Pool[T]) Release(lease *Lease[T]) error {
	p.mu.Lock()
	lease.users--
	last := lease.users == 0
	if last && lease.Name != "" {
		delete(p.named, lease.Name)
	}
	p.mu.Unlock()
	if !last {
		return nil
	}
	err := p.end(lease.Context)
	p.mu.Lock()
	p.open--
	p.mu.Unlock()
	return err
}

// Open is the number of contexts that have begun and not ended.
func (p *Pool[T]) Open() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}
