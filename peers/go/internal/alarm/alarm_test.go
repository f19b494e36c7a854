package alarm

import (
	"errors"
	"testing"
	"time"
)

func TestAPauseLastsUntilItsMoment(t *testing.T) {
	a := New()
	defer a.Close()
	for _, wait := range []time.Duration{0, 300 * time.Microsecond, 45 * time.Millisecond} {
		moment := time.Now().Add(wait)
		if err := a.Pause(moment, func() error { return nil }); err != nil {
			t.Fatal(err)
		}
		if late := time.Since(moment); late < 0 || late > 5*time.Second {
			t.Errorf("a pause of %v was late by %v", wait, late)
		}
	}
}

func TestAPauseCanBeStopped(t *testing.T) {
	a := New()
	defer a.Close()
	asked, enough := 0, errors.New("enough")
	err := a.Pause(time.Now().Add(time.Hour), func() error {
		if asked++; asked == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) {
		t.Fatalf("got %v", err)
	}
}
