package rpc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/frames"
)

// Params reads the parameters of a call one by one. The first thing wrong is kept for Done, so that a
// method reads all it wants and asks once.
type Params struct {
	members map[string]json.RawMessage
	known   []string
	wrong   string
}

// Done returns the error of the parameters, if any: one that is missing, of the wrong type, out of
// range, or that nobody asked for.
func (p *Params) Done() *Error {
	if p.wrong == "" && len(p.members) > 0 {
		for name := range p.members {
			if !slices.Contains(p.known, name) {
				p.fail("there is no parameter %q here", name)
			}
		}
	}
	if p.wrong == "" {
		return nil
	}
	return &Error{
		Code: CodeParams, Message: p.wrong,
		Data: map[string]any{"name": driver.Invalid, "text": p.wrong},
	}
}

func (p *Params) fail(format string, args ...any) {
	if p.wrong == "" {
		p.wrong = fmt.Sprintf(format, args...)
	}
}

// take gives the JSON text of a parameter, nil if it is absent.
func (p *Params) take(name string) json.RawMessage {
	p.known = append(p.known, name)
	return p.members[name]
}

// Has reports whether a parameter is there.
func (p *Params) Has(name string) bool { return p.members[name] != nil }

// read decodes a parameter into value if it is there, is of the kind that the first byte of its JSON
// text tells, and decodes. It reports whether value was set.
func (p *Params) read(name, first, kind string, value any) bool {
	raw := p.take(name)
	if raw == nil {
		return false
	}
	if !strings.ContainsRune(first, rune(raw[0])) || json.Unmarshal(raw, value) != nil {
		p.fail("%s is %s", name, kind)
		return false
	}
	return true
}

const number = "-0123456789"

// Integer reads an integer of that range.
func (p *Params) Integer(name string, low, high, absent int64) int64 {
	value := absent
	kind := fmt.Sprintf("an integer of %d or more", low)
	if high != math.MaxInt64 {
		kind = fmt.Sprintf("an integer from %d to %d", low, high)
	}
	if p.read(name, number, kind, &value) && (value < low || value > high) {
		p.fail("%s is %s", name, kind)
	}
	return value
}

// Unsigned reads an unsigned 64-bit integer.
func (p *Params) Unsigned(name string, absent uint64) uint64 {
	value := absent
	p.read(name, number, "an integer from 0 to 18446744073709551615", &value)
	return value
}

// Positive reads a number greater than 0.
func (p *Params) Positive(name string, absent float64) float64 {
	value := absent
	if p.read(name, number, "a number greater than 0", &value) && value <= 0 {
		p.fail("%s is a number greater than 0", name)
	}
	return value
}

// Flag reads true or false.
func (p *Params) Flag(name string) (value bool) {
	p.read(name, "tf", "true or false", &value)
	return value
}

// Must notes that a parameter is missing.
func (p *Params) Must(names ...string) {
	for _, name := range names {
		if !p.Has(name) {
			p.fail("%s is missing", name)
		}
	}
}

// Text reads a string.
func (p *Params) Text(name, absent string) string {
	value := absent
	p.read(name, `"`, "a string", &value)
	return value
}

// Texts reads a list of strings.
func (p *Params) Texts(name string) []string {
	var raws []json.RawMessage
	var values []string
	if p.read(name, "[", "a list of strings", &raws) {
		for _, raw := range raws {
			var value string
			if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
				p.fail("%s is a list of strings", name)
			}
			values = append(values, value)
		}
	}
	return values
}

// longest keeps deadlines within what time.Time can reckon with.
const longest = 1e12 // ms, 31 years

// Patience is how long a call may take; negative is for ever.
type Patience time.Duration

// Deadline is the end of a patience that begins now. The zero time means no deadline.
func (p Patience) Deadline() time.Time {
	if p < 0 {
		return time.Time{}
	}
	return time.Now().Add(time.Duration(p))
}

// Patience reads a timeout in milliseconds. Without one, absent counts; a negative absent means for ever.
func (p *Params) Patience(absent float64) Patience {
	value := absent
	if p.read("timeout", number, "a number of milliseconds, 0 or more", &value) && value < 0 {
		p.fail("timeout is a number of milliseconds, 0 or more")
	}
	if value < 0 {
		return -1
	}
	return Patience(min(value, longest) * float64(time.Millisecond))
}

// Milliseconds reads a number of milliseconds that must be there.
func (p *Params) Milliseconds(name string) time.Duration {
	p.Must(name)
	var value float64
	if p.read(name, number, "a number of milliseconds, 0 or more", &value) && value < 0 {
		p.fail("%s is a number of milliseconds, 0 or more", name)
	}
	return time.Duration(min(value, longest) * float64(time.Millisecond))
}

// Secrets reads an object of strings.
func (p *Params) Secrets(name string) map[string]string {
	var raws map[string]json.RawMessage
	if !p.read(name, "{", "an object of strings", &raws) {
		return nil
	}
	values := make(map[string]string, len(raws))
	for key, raw := range raws {
		var value string
		if raw[0] != '"' || json.Unmarshal(raw, &value) != nil {
			p.fail("%s is an object of strings", name)
		}
		values[key] = value
	}
	return values
}

// Keys reads a list of strings, or the word "any".
func (p *Params) Keys(name string) (keys []string, any bool) {
	if raw := p.members[name]; string(raw) == `"any"` {
		p.take(name)
		return nil, true
	}
	return p.Texts(name), false
}

// Choice reads a string that must be one of these.
func (p *Params) Choice(name string, choices ...string) string {
	p.Must(name)
	value := p.Text(name, "")
	if p.Has(name) && !slices.Contains(choices, value) {
		p.fail("%s is one of %s", name, strings.Join(choices, ", "))
	}
	return value
}

// Message reads a list of frames.
func (p *Params) Message(name string) frames.Message {
	raw := p.take(name)
	if raw == nil {
		return nil
	}
	message, err := readMessage(raw)
	if err != nil {
		p.fail("%s: %v", name, err)
	}
	return message
}

// Messages reads a list of messages of at least one frame each.
func (p *Params) Messages(name string) []frames.Message {
	var raws []json.RawMessage
	if !p.read(name, "[", "a list of messages", &raws) {
		return nil
	}
	messages := make([]frames.Message, len(raws))
	for i, raw := range raws {
		message, err := readMessage(raw)
		if err == nil && len(message) == 0 {
			err = fmt.Errorf("a message has at least one frame")
		}
		if err != nil {
			p.fail("%s[%d]: %v", name, i, err)
		}
		messages[i] = message
	}
	return messages
}

func readMessage(raw json.RawMessage) (frames.Message, error) {
	var raws []json.RawMessage
	if raw[0] != '[' || json.Unmarshal(raw, &raws) != nil {
		return nil, fmt.Errorf("a message is a list of frames")
	}
	message := make(frames.Message, len(raws))
	for i, raw := range raws {
		if err := message[i].UnmarshalJSON(raw); err != nil {
			return nil, err
		}
	}
	return message, nil
}

// Value reads the value of a socket option: an integer or a frame.
func (p *Params) Value(name string) driver.Value {
	raw := p.take(name)
	if raw == nil {
		return driver.Value{}
	}
	value, err := readValue(raw)
	if err != nil {
		p.fail("%s: %v", name, err)
	}
	return value
}

func readValue(raw json.RawMessage) (value driver.Value, err error) {
	if strings.ContainsRune(number, rune(raw[0])) {
		if json.Unmarshal(raw, &value.Integer) != nil {
			err = fmt.Errorf("a value is an integer or a frame")
		}
		return value, err
	}
	var frame frames.Frame
	if err := frame.UnmarshalJSON(raw); err != nil {
		return value, fmt.Errorf("a value is an integer or a frame: %w", err)
	}
	value.Bytes = append([]byte{}, frame.Bytes()...)
	return value, nil
}

// Options reads an object of socket options in the order of its text.
func (p *Params) Options(name string) []driver.Option {
	raw := p.take(name)
	if raw == nil {
		return nil
	}
	if raw[0] != '{' {
		p.fail("%s is an object", name)
		return nil
	}
	var options []driver.Option
	decoder := json.NewDecoder(bytes.NewReader(raw))
	_, _ = decoder.Token() // the opening brace; the text is known to be valid
	for decoder.More() {
		var value json.RawMessage
		key, _ := decoder.Token()
		_ = decoder.Decode(&value)
		option := driver.Option{Name: key.(string)}
		var err error
		if option.Value, err = readValue(value); err != nil {
			p.fail("%s.%s: %v", name, option.Name, err)
		}
		options = append(options, option)
	}
	return options
}
