package rpc

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// readAll reads lines; one that is too long shows as "TOO LONG".
func readAll(input string) (all []string) {
	lines := NewLines(strings.NewReader(input))
	for {
		line, err := lines.Next()
		switch {
		case errors.Is(err, ErrTooLong):
			all = append(all, "TOO LONG")
		case errors.Is(err, io.EOF):
			return all
		default:
			all = append(all, string(line))
		}
	}
}

func TestLines(t *testing.T) {
	full := strings.Repeat("x", MaxLine)
	medium := strings.Repeat("y", 100_000) // more than the reader's buffer
	for claim, c := range map[string]struct {
		input string
		want  []string
	}{
		"end in LF":                           {"a\nb\n", []string{"a", "b"}},
		"lose a CR before LF":                 {"a\r\nb\n", []string{"a", "b"}},
		"are ignored when empty":              {"\n\r\n\na\n\n", []string{"a"}},
		"without LF at the end are none":      {"a\nb", []string{"a"}},
		"may be longer than the buffer":       {medium + "\na\n", []string{medium, "a"}},
		"may be as long as the limit":         {full + "\na\n", []string{full, "a"}},
		"that are too long are discarded":     {full + "x\na\n", []string{"TOO LONG", "a"}},
		"that are far too long are discarded": {full + full + full + "\na\n", []string{"TOO LONG", "a"}},
		"count their CR":                      {full + "\r\na\n", []string{"TOO LONG", "a"}},
	} {
		if got := readAll(c.input); !slices.Equal(got, c.want) {
			t.Errorf("lines %s: got %d lines", claim, len(got))
		}
	}
}
