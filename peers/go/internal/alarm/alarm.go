// Package alarm sleeps until a moment without the millisecond that the runtime's own timers may be late
// when a program is otherwise idle.
package alarm

import "time"

// Pause sleeps until the moment comes, in slices after each of which it asks whether to stop.
func (a *Alarm) Pause(moment time.Time, stop func() error) error {
	const slice = 20 * time.Millisecond
	for {
		if err := stop(); err != nil {
			return err
		}
		left := time.Until(moment)
		if left <= 0 {
			return nil
		}
		a.sleep(min(left, slice))
	}
}
