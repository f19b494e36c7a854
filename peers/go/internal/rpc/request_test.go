package rpc

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		line string
		code int
		id   string
	}{
		{`{"jsonrpc":"2.0","id":1,"method":"hello"}`, 0, `1`},
		{`{"jsonrpc":"2.0","id":"a","method":"hello","params":{}}`, 0, `"a"`},
		{` {"params":{},"method":"x","id":-1.5e3,"jsonrpc":"2.0"} `, 0, `-1.5e3`},
		{`{"jsonrpc":"2.0","id":1,"method":"hello"`, CodeParse, `null`},
		{"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"\xff\"}", CodeParse, `null`},
		{`[]`, CodeRequest, `null`},
		{`1`, CodeRequest, `null`},
		{`null`, CodeRequest, `null`},
		{`{}`, CodeRequest, `null`},
		{`{"jsonrpc":"2.0","method":"hello"}`, CodeRequest, `null`},
		{`{"jsonrpc":"2.0","id":null,"method":"hello"}`, CodeRequest, `null`},
		{`{"jsonrpc":"2.0","id":{},"method":"hello"}`, CodeRequest, `null`},
		{`{"jsonrpc":"2.0","id":true,"method":"hello"}`, CodeRequest, `null`},
		{`{"jsonrpc":"1.0","id":1,"method":"hello"}`, CodeRequest, `1`},
		{`{"id":1,"method":"hello"}`, CodeRequest, `1`},
		{`{"jsonrpc":"2.0","id":1}`, CodeRequest, `1`},
		{`{"jsonrpc":"2.0","id":1,"method":7}`, CodeRequest, `1`},
		{`{"jsonrpc":"2.0","id":1,"method":null}`, CodeRequest, `1`},
		{`{"jsonrpc":"2.0","id":1,"Method":"hello"}`, CodeRequest, `1`},
		{`{"jsonrpc":"2.0","id":1,"method":"hello","params":[]}`, CodeParams, `1`},
		{`{"jsonrpc":"2.0","id":1,"method":"hello","params":null}`, CodeParams, `1`},
	} {
		request, err := Parse([]byte(c.line))
		code := 0
		if err != nil {
			code = err.Code
		}
		if code != c.code || string(request.ID) != c.id {
			t.Errorf("%s: code %d, id %s", c.line, code, request.ID)
		}
	}
}

// params reads the params of a request with these.
func params(t *testing.T, text string) *Params {
	t.Helper()
	request, err := Parse([]byte(`{"jsonrpc":"2.0","id":1,"method":"m","params":` + text + `}`))
	if err != nil {
		t.Fatal(err)
	}
	return request.Params
}

func TestParamsAreCheckedOneByOne(t *testing.T) {
	read := func(p *Params) {
		p.Integer("integer", 1, 10, 1)
		p.Unsigned("unsigned", 0)
		p.Positive("rate", 1)
		p.Text("text", "")
		p.Texts("texts")
		p.Patience(0)
		p.Message("prefix")
		p.Messages("messages")
		p.Value("value")
		p.Options("options")
	}
	for text, wrong := range map[string]string{
		`{}`: ``,
		`{"integer":10,"unsigned":18446744073709551615,"rate":0.5,"text":"","texts":[],"timeout":0.5}`: ``,
		`{"prefix":[],"messages":[["a",{"base64":"/w=="}]],"value":-1,"options":{"A":1,"B":"x"}}`:      ``,
		`{"nonsense":1}`:             `nonsense`,
		`{"Integer":1}`:              `Integer`,
		`{"integer":0}`:              `integer`,
		`{"integer":11}`:             `integer`,
		`{"integer":1.5}`:            `integer`,
		`{"integer":"1"}`:            `integer`,
		`{"integer":true}`:           `integer`,
		`{"integer":null}`:           `integer`,
		`{"unsigned":-1}`:            `unsigned`,
		`{"rate":0}`:                 `rate`,
		`{"rate":"1"}`:               `rate`,
		`{"text":1}`:                 `text`,
		`{"texts":"a"}`:              `texts`,
		`{"texts":[1]}`:              `texts`,
		`{"texts":[null]}`:           `texts`,
		`{"timeout":-1}`:             `timeout`,
		`{"timeout":null}`:           `timeout`,
		`{"timeout":1e400}`:          `timeout`,
		`{"prefix":"a"}`:             `prefix`,
		`{"prefix":[1]}`:             `prefix`,
		`{"messages":["a"]}`:         `messages[0]`,
		`{"messages":[["a"],[]]}`:    `messages[1]`,
		`{"messages":[[null]]}`:      `messages[0]`,
		`{"value":1.5}`:              `value`,
		`{"value":true}`:             `value`,
		`{"value":null}`:             `value`,
		`{"options":[]}`:             `options`,
		`{"options":{"A":[]}}`:       `options.A`,
		`{"options":{"A":{"a": 1}}}`: `options.A`,
	} {
		p := params(t, text)
		read(p)
		err := p.Done()
		switch {
		case wrong == "" && err != nil:
			t.Errorf("%s: %v", text, err)
		case wrong != "" && (err == nil || !strings.Contains(err.Message, wrong)):
			t.Errorf("%s: %v, want a word on %s", text, err, wrong)
		}
	}
}

func TestParamsThatMustBeThere(t *testing.T) {
	p := params(t, `{}`)
	p.Must("socket")
	if err := p.Done(); err == nil || err.Code != CodeParams || err.Data["name"] == nil {
		t.Errorf("got %v", err)
	}
}

func TestOptionsKeepTheirOrder(t *testing.T) {
	names := ""
	for _, option := range params(t, `{"options":{"Z":1,"A":"x","M":{"size":3,"seed":1}}}`).Options("options") {
		names += option.Name
	}
	if names != "ZAM" {
		t.Errorf("got %s", names)
	}
}

func TestAnEmptyFrameIsAValueOfBytes(t *testing.T) {
	if value := params(t, `{"value":""}`).Value("value"); value.Bytes == nil {
		t.Errorf("got %v", value)
	}
}

func TestDeadlines(t *testing.T) {
	if !params(t, `{}`).Patience(-1).Deadline().IsZero() {
		t.Error("no timeout is a deadline")
	}
	for _, text := range []string{`{"timeout":0}`, `{"timeout":1e300}`} {
		if params(t, text).Patience(-1).Deadline().IsZero() {
			t.Errorf("%s is no deadline", text)
		}
	}
}
