//go:build !linux

package alarm

import "time"

// Alarm is the runtime's own sleep.
type Alarm struct{}

// New makes an alarm.
func New() *Alarm { return new(Alarm) }

// Close gives it back.
func (a *Alarm) Close() {}

func (a *Alarm) sleep(left time.Duration) { time.Sleep(left) }
