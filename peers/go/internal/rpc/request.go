package rpc

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// Codes of JSON-RPC, and the contract's own.
const (
	CodeParse    = -32700
	CodeRequest  = -32600
	CodeMethod   = -32601
	CodeParams   = -32602
	CodeInternal = -32603
	CodeFailed   = -32000
)

// Error is the error object of a response.
type Error struct {
	Code    int            `json:"code"`
	Message string         `json:"message"`
	Data    map[string]any `json:"data,omitempty"`
}

// Error implements error.
func (e *Error) Error() string { return e.Message }

// Request is a call. ID is the JSON text of its id.
type Request struct {
	ID     json.RawMessage
	Method string
	Params *Params
}

var null = json.RawMessage("null")

// Parse reads a request. On an error, the request holds the id to answer with.
func Parse(line []byte) (Request, *Error) {
	request := Request{ID: null}
	if !utf8.Valid(line) || !json.Valid(line) {
		return request, &Error{Code: CodeParse, Message: "the line is not JSON"}
	}
	var members map[string]json.RawMessage
	if bytes.TrimLeft(line, " \t\r")[0] != '{' || json.Unmarshal(line, &members) != nil {
		return request, &Error{Code: CodeRequest, Message: "a request is an object"}
	}
	id, ok := members["id"]
	if !ok || !isID(id) {
		return request, &Error{Code: CodeRequest, Message: "a request has an id, a string or a number"}
	}
	request.ID = id
	if string(members["jsonrpc"]) != `"2.0"` {
		return request, &Error{Code: CodeRequest, Message: `a request has "jsonrpc": "2.0"`}
	}
	method, ok := members["method"]
	if !ok || json.Unmarshal(method, &request.Method) != nil || method[0] != '"' {
		return request, &Error{Code: CodeRequest, Message: "a request has a method, a string"}
	}
	request.Params = &Params{}
	if params, ok := members["params"]; ok {
		if params[0] != '{' || json.Unmarshal(params, &request.Params.members) != nil {
			return request, &Error{
				Code: CodeParams, Message: "params is an object", Data: map[string]any{"name": "invalid"},
			}
		}
	}
	return request, nil
}

// isID reports whether the valid JSON text is a string or a number.
func isID(raw json.RawMessage) bool {
	return raw[0] == '"' || raw[0] == '-' || raw[0] >= '0' && raw[0] <= '9'
}
