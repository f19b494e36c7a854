package rpc

import (
	"bytes"
	"encoding/json"
	"io"
	"sync"
)

// Responses writes responses, each as one line and at once.
type Responses struct {
	mu     sync.Mutex
	writer io.Writer
}

// NewResponses writes to writer.
func NewResponses(writer io.Writer) *Responses { return &Responses{writer: writer} }

type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *Error          `json:"error,omitempty"`
}

// Write answers the request of that id. A failed write is returned; nothing can be said any more.
func (r *Responses) Write(id json.RawMessage, result any, failure *Error) error {
	if result == nil && failure == nil {
		result = struct{}{}
	}
	line, err := encode(response{Version: "2.0", ID: id, Result: result, Error: failure})
	if err != nil {
		line, _ = encode(response{Version: "2.0", ID: id, Error: &Error{Code: CodeInternal, Message: err.Error()}})
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	_, err = r.writer.Write(line)
	return err
}

func encode(value any) ([]byte, error) {
	var line bytes.Buffer
	encoder := json.NewEncoder(&line) // ends with LF
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return line.Bytes(), err
}
