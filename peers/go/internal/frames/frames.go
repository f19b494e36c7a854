// Package frames translates between frames and their JSON forms (section 2 of the contract).
package frames

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"unicode/utf8"

	"zmq-interop/peers/go/internal/driver"
)

// DefaultInline is the largest frame, in bytes, that a response holds itself.
const DefaultInline = 1024

// Frame is a frame of a request. A recipe is made when its bytes are asked for, so that many large
// ones need not be in memory together.
type Frame struct {
	bytes  []byte
	recipe bool
	size   int
	seed   string
}

// Bytes are the frame's bytes.
func (f Frame) Bytes() []byte {
	if f.recipe {
		return Recipe(f.size, f.seed)
	}
	return f.bytes
}

// Message is a message of a request.
type Message []Frame

// Frames makes the message's frames.
func (m Message) Frames() driver.Message {
	message := make(driver.Message, len(m))
	for i, frame := range m {
		message[i] = frame.Bytes()
	}
	return message
}

var (
	errFrame     = errors.New(`a frame is a string, {"base64": …} or {"size": …, "seed": …}`)
	errBase64    = errors.New("base64 is the standard alphabet with padding")
	errSize      = errors.New("the size of a frame is an integer from 0 to 268435456")
	errSeed      = errors.New("the seed of a frame is an integer")
	errSurrogate = errors.New("the string has half of a surrogate pair")
)

// UnmarshalJSON reads one of the three forms.
func (f *Frame) UnmarshalJSON(raw []byte) error {
	if raw[0] == '"' {
		text, err := Text(raw)
		f.bytes = []byte(text)
		return err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(raw, &fields); err != nil || raw[0] != '{' {
		return errFrame
	}
	encoded, isBase64 := fields["base64"]
	size, isSize := fields["size"]
	seed, isSeed := fields["seed"]
	switch {
	case isBase64 && len(fields) == 1:
		var text string
		if json.Unmarshal(encoded, &text) != nil || encoded[0] != '"' || strings.ContainsAny(text, "\r\n") {
			return errBase64
		}
		decoded, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil {
			return errBase64
		}
		f.bytes = decoded
	case isSize && isSeed && len(fields) == 2:
		if json.Unmarshal(size, &f.size) != nil || size[0] == 'n' || f.size < 0 || f.size > MaxSize {
			return errSize
		}
		number, ok := new(big.Int).SetString(string(seed), 10)
		if !ok {
			return errSeed
		}
		f.seed = number.String()
		f.recipe = true
	default:
		return errFrame
	}
	return nil
}

// Text reads a JSON string. A lone surrogate, which has no UTF-8 encoding, is an error: the standard
// decoder would replace it silently.
func Text(raw []byte) (string, error) {
	var text string
	if err := json.Unmarshal(raw, &text); err != nil {
		return "", err
	}
	const replacement = "\uFFFD"
	if bytes.IndexByte(raw, '\\') >= 0 && strings.Contains(text, replacement) {
		written := bytes.Count(raw, []byte(replacement)) +
			bytes.Count(bytes.ToLower(raw), []byte(`\ufffd`))
		if strings.Count(text, replacement) > written {
			return "", errSurrogate
		}
	}
	return text, nil
}

// inlined and digested are two of the forms of a frame in a response.
type inlined struct {
	Base64 []byte `json:"base64"`
}

type digested struct {
	Size   int    `json:"size"`
	SHA256 string `json:"sha256"`
}

// Encode gives the JSON form of a received frame: size and digest if it has more than inline bytes,
// else text if it is valid UTF-8, else base64.
func Encode(frame []byte, inline int) any {
	switch {
	case len(frame) > inline:
		digest := sha256.Sum256(frame)
		return digested{len(frame), hex.EncodeToString(digest[:])}
	case utf8.Valid(frame):
		return string(frame)
	default:
		return inlined{frame}
	}
}

// EncodeAll gives the JSON form of received messages.
func EncodeAll(messages []driver.Message, inline int) [][]any {
	encoded := make([][]any, len(messages))
	for i, message := range messages {
		encoded[i] = make([]any, len(message))
		for j, frame := range message {
			encoded[i][j] = Encode(frame, inline)
		}
	}
	return encoded
}
