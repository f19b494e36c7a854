package driver

import (
	"errors"
	"time"
)

// Name is one of the contract's error names (section 3).
type Name string

// The names that a driver may give. "invalid" is for parameters that make no sense to the library.
const (
	Invalid     Name = "invalid"
	Timeout     Name = "timeout"
	State       Name = "state"
	Unroutable  Name = "unroutable"
	Unsupported Name = "unsupported"
	Closed      Name = "closed"
	Failed      Name = "library"
)

// Error is an error that the contract can carry.
type Error struct {
	Name  Name
	Errno int    // of the library, 0 if it has none
	Text  string // the library's own words, or ours where it has none

	Waited time.Duration // of a timeout: the time inside the library's call
}

// Error implements error.
func (e *Error) Error() string { return string(e.Name) + ": " + e.Text }

// Is reports whether target is a driver error with the same name.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Name == e.Name
}

// Errors without words of a library.
var (
	ErrTimeout = &Error{Name: Timeout, Text: "the time is up"}
	ErrClosed  = &Error{Name: Closed, Text: "the socket is closed"}
)

// After notes how long the call that gave this error waited, if the error is a timeout.
func After(waited time.Duration, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Name != Timeout {
		return err
	}
	late := *e
	late.Waited = waited
	return &late
}

// Wait is how long the call that gave this error waited, 0 if that is not known.
func Wait(err error) time.Duration {
	var e *Error
	if errors.As(err, &e) {
		return e.Waited
	}
	return 0
}

// Errorf-like constructors keep call sites short.

// ErrUnsupported says that the library cannot do what.
func ErrUnsupported(what string) *Error { return &Error{Name: Unsupported, Text: what} }

// ErrInvalid says that a parameter makes no sense.
func ErrInvalid(what string) *Error { return &Error{Name: Invalid, Text: what} }

// Wrap makes any error a driver error: one of the library if it is not one already.
func Wrap(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Name: Failed, Text: err.Error()}
}
