package server

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/driver"
)

func TestHelloTellsTheLibraryAndWhatTheServerAdds(t *testing.T) {
	p := newPeer(t)
	var hello map[string]any
	if err := json.Unmarshal([]byte(p.call("hello", `{}`)), &hello); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"contract", "peer", "implementation", "version", "library", "runtime", "os", "arch", "pid", "workdir", "capabilities",
	} {
		if hello[name] == nil {
			t.Errorf("hello lacks %s", name)
		}
	}
	capabilities, _ := json.Marshal(hello["capabilities"])
	for _, name := range []string{`"LOOP"`, `"RAW"`, `"dump"`, `"echo"`, `"proxy"`} {
		if !strings.Contains(string(capabilities), name) {
			t.Errorf("the capabilities lack %s", name)
		}
	}
}

func TestMessagesGoOutAndComeIn(t *testing.T) {
	p := newPeer(t)
	p.expect("open", `{"type":"LOOP"}`, `{"endpoints":[],"socket":1}`)
	p.expect("send", `{"socket":1,"messages":[["a",{"base64":"/w=="},{"size":8,"seed":7}]]}`, `{"sent":1}`)
	p.expect("recv", `{"socket":1}`, `{"messages":[["a",{"base64":"/w=="},{"base64":"9f9h17UzzXM="}]]}`)
	p.expect("send", `{"socket":1,"messages":[[{"size":100000,"seed":7}]]}`, `{"sent":1}`)
	p.expect("recv", `{"socket":1}`, `{"messages":[[{"size":100000,`+
		`"sha256":"a688504d6d6c34ef98b79dd89db85a755c7cdc399ccf8626c51454173a1469e4"}]]}`)
	p.expect("close", `{"socket":1}`, `{}`)
}

func TestMessagesThatFillALineComeAsDigests(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.start("r", "recv", `{"socket":1,"count":20,"inline":100000}`)
	for range 20 {
		p.call("send", `{"socket":1,"messages":[[{"size":60000,"seed":7}]]}`)
	}
	if answer := p.wait("r"); len(answer) > 10_000 || strings.Count(answer, "sha256") != 20 {
		t.Errorf("got %d bytes", len(answer))
	}
}

func TestErrorsKeepTheEvidence(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.expect("send", `{"socket":1,"messages":[["a"],["b"]],"timeout":1}`, `-32000 timeout{"sent":1}`)
	p.expect("recv", `{"socket":1,"count":2,"timeout":1}`, `-32000 timeout{"messages":[["a"]]}`)
	p.expect("connect", `{"socket":1,"endpoint":"tcp://127.0.0.1:1"}`, `-32000 library{"errno":111}`)
	if got := p.call("drain", `{"socket":1,"count":2,"timeout":0}`); !strings.Contains(got, `"received":0`) {
		t.Errorf("drain: %s", got)
	}
	if got := p.call("flood", `{"socket":1,"count":3,"size":16,"timeout":5}`); !strings.Contains(got, `"sent":1`) {
		t.Errorf("flood: %s", got)
	}
}

func TestEachErrorHasItsCode(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.call("open", `{"type":"LOOP"}`)
	p.call("close", `{"socket":2}`)
	for _, c := range []struct{ method, params, want string }{
		{"nonsense", `{}`, `-32601 <nil>`},
		{"hello", `{"x":1}`, `-32602 invalid`},
		{"open", `{}`, `-32602 invalid`},
		{"open", `{"type":"NONE"}`, `-32000 unsupported`},
		{"open", `{"type":"LOOP","bind":["nowhere"]}`, `-32602 invalid`},
		{"open", `{"type":"RAW","options":{"LINGER":0}}`, `-32000 unsupported`},
		{"recv", `{}`, `-32602 invalid`},
		{"recv", `{"socket":0}`, `-32602 invalid`},
		{"recv", `{"socket":9}`, `-32602 invalid`},
		{"recv", `{"socket":2}`, `-32000 closed`},
		{"close", `{"socket":2}`, `-32000 closed`},
		{"recv", `{"socket":1,"size":1}`, `-32602 invalid`},
		{"recv", `{"socket":1,"count":0}`, `-32602 invalid`},
		{"send", `{"socket":1}`, `-32602 invalid`},
		{"send", `{"socket":1,"messages":[["a"]],"via":"Nowhere"}`, `-32000 unsupported`},
		{"bind", `{"socket":1,"endpoint":"ws://127.0.0.1:*"}`, `-32000 unsupported`},
		{"bind", `{"socket":1,"endpoint":"tcp://127.0.0.1:x"}`, `-32602 invalid`},
		{"connect", `{"socket":1,"endpoint":"tcp://127.0.0.1:*"}`, `-32602 invalid`},
		{"unbind", `{"socket":1,"endpoint":"tcp://127.0.0.1:1"}`, `-32000 unsupported`},
		{"flood", `{"socket":1,"count":1,"size":15}`, `-32602 invalid`},
		{"flood", `{"socket":1,"size":16}`, `-32602 invalid`},
		{"pace", `{"socket":1,"count":1,"size":16}`, `-32602 invalid`},
		{"proxy", `{"socket":1,"backend":1}`, `-32602 invalid`},
		{"proxy", `{"socket":1,"backend":2}`, `-32000 closed`},
	} {
		p.expect(c.method, c.params, c.want)
	}
}

func TestABrokenLineIsAnsweredAndSkipped(t *testing.T) {
	p := newPeer(t)
	for line, want := range map[string]string{
		`{"jsonrpc":`:                 "-32700 <nil>",
		`[]`:                          "-32600 <nil>",
		strings.Repeat("x", 1<<20+1):  "-32600 <nil>",
		`{"jsonrpc":"2.0","id":null}`: "-32600 <nil>",
	} {
		p.write(line)
		if id, got := p.read(); id != "<nil>" || got != want {
			t.Errorf("%.20s: %s %s", line, id, got)
		}
	}
	p.expect("quit", `{}`, `{}`)
	<-p.served
}

func TestWildcardsAreChosen(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	for endpoint, start := range map[string]string{
		"ipc://*":           "ipc:///work/",
		"ipc://@*":          "ipc://@zmq-interop-",
		"inproc://*":        "inproc://zmq-interop-",
		"tcp://127.0.0.1:*": "tcp://127.0.0.1:",
		"ipc:///a/b":        "ipc:///a/b",
	} {
		if got := p.call("bind", `{"socket":1,"endpoint":"`+endpoint+`"}`); !strings.HasPrefix(got, `{"endpoint":"`+start) {
			t.Errorf("%s: %s", endpoint, got)
		}
	}
	first := p.call("bind", `{"socket":1,"endpoint":"inproc://*"}`)
	if second := p.call("bind", `{"socket":1,"endpoint":"inproc://*"}`); first == second {
		t.Errorf("twice %s", first)
	}
}

func TestOptionValues(t *testing.T) {
	p := newPeer(t)
	p.expect("open", `{"type":"LOOP","options":{"NUMBER":-1,"FRAME":"x"},"bind":["inproc://a"]}`,
		`{"endpoints":["inproc://a"],"socket":1}`)
	p.expect("get", `{"socket":1,"option":"NUMBER"}`, `{"value":-1}`)
	p.expect("get", `{"socket":1,"option":"FRAME"}`, `{"value":"x"}`)
	p.expect("set", `{"socket":1,"option":"FRAME","value":""}`, `{}`)
	p.expect("get", `{"socket":1,"option":"FRAME"}`, `{"value":""}`)
}

func TestAWaitingCallHoldsUpNoOther(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.start("waiting", "recv", `{"socket":1}`)
	if got := p.call("stats", `{}`); !strings.Contains(got, `"sockets":1`) {
		t.Error(got)
	}
	p.expect("set", `{"socket":1,"option":"A","value":1}`, `{}`)
	p.expect("send", `{"socket":1,"messages":[["x"]]}`, `{"sent":1}`)
	if got := p.wait("waiting"); got != `{"messages":[["x"]]}` {
		t.Error(got)
	}
	if !strings.Contains(p.call("dump", `{}`), "goroutine") {
		t.Error("no stacks")
	}
}

func TestReceivesRunInTheirOrder(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	for _, id := range []string{"1", "2", "3"} {
		p.start(id, "recv", `{"socket":1}`)
	}
	p.expect("recv", `{"socket":1,"timeout":1}`, `-32000 timeout{"messages":[]}`)
	for _, id := range []string{"1", "2", "3"} {
		p.call("send", `{"socket":1,"messages":[["`+id+`"]]}`)
		if got := p.wait(id); got != `{"messages":[["`+id+`"]]}` {
			t.Errorf("%s: %s", id, got)
		}
	}
}

func TestCloseEndsWaitingCalls(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.start("first", "recv", `{"socket":1}`)
	p.start("second", "recv", `{"socket":1}`)
	p.start("echo", "echo", `{"socket":1,"count":1}`)
	p.expect("close", `{"socket":1}`, `{}`)
	for id, want := range map[string]string{
		"first": `-32000 closed{"messages":[]}`, "second": `-32000 closed{"messages":[]}`,
		"echo": `-32000 closed{"echoed":0}`,
	} {
		if got := p.wait(id); got != want {
			t.Errorf("%s: %s", id, got)
		}
	}
	var stats map[string]int64
	_ = json.Unmarshal([]byte(p.call("stats", `{}`)), &stats)
	if stats["sockets"] != 0 || stats["contexts"] != 0 || stats["goroutines"] == 0 {
		t.Errorf("stats %v", stats)
	}
}

func TestASocketThatCannotBeConnectedIsClosedAgain(t *testing.T) {
	p := newPeer(t)
	p.expect("open", `{"type":"LOOP","connect":["tcp://127.0.0.1:1"]}`, `-32000 library{"errno":111}`)
	if n := p.server.library.Contexts(); n != 0 {
		t.Errorf("contexts: %d", n)
	}
	p.expect("open", `{"type":"LOOP"}`, `{"endpoints":[],"socket":1}`)
}

func TestWorkloadsOnRawSockets(t *testing.T) {
	p := newPeer(t)
	var opened struct{ Endpoints []string }
	_ = json.Unmarshal([]byte(p.call("open", `{"type":"RAW","bind":["tcp://127.0.0.1:*"]}`)), &opened)
	p.expect("open", `{"type":"RAW","connect":["`+opened.Endpoints[0]+`"]}`,
		`{"endpoints":["`+opened.Endpoints[0]+`"],"socket":2}`)
	p.expect("send", `{"socket":2,"messages":[["ab","cd"],["ef"]]}`, `{"sent":2}`)
	p.expect("recv", `{"socket":1,"size":5}`, `{"messages":[["abcde"]]}`)
	p.expect("recv", `{"socket":1,"size":2,"timeout":5}`, `-32000 timeout{"messages":[]}`)
	p.expect("send", `{"socket":2,"messages":[["g"]]}`, `{"sent":1}`)
	p.expect("recv", `{"socket":1,"size":2}`, `{"messages":[["fg"]]}`)
	p.expect("recv", `{"socket":1}`, `-32602 invalid`)
	p.expect("recv", `{"socket":1,"size":1,"count":1}`, `-32602 invalid`)
	p.expect("echo", `{"socket":1,"count":10}`, `-32602 invalid`)
	p.expect("ping", `{"socket":1,"count":10,"size":16,"prefix":["x"]}`, `-32602 invalid`)
	for _, rate := range []string{"", `,"rate":5000`} {
		p.start("echo", "echo", `{"socket":1,"count":10,"size":64}`)
		if got := p.call("ping", `{"socket":2,"count":8,"warmup":2,"size":64`+rate+`}`); !strings.Contains(got, `{"count":8,"wrong":0,`) {
			t.Error(got)
		}
		if got := p.wait("echo"); got != `{"echoed":10}` {
			t.Error(got)
		}
	}
	p.call("send", `{"socket":2,"messages":[["end"]]}`)
	p.call("close", `{"socket":2}`)
	p.expect("recv", `{"socket":1,"size":9}`, `-32000 closed{"messages":[["end"]]}`)
}

func TestALaneServesInOrderAndForgetsWhoLeft(t *testing.T) {
	var l lane
	first, second, third := l.join(), l.join(), l.join()
	if err := first.wait(time.Time{}, nil); err != nil {
		t.Fatal(err)
	}
	if err := second.wait(time.Now(), nil); !errors.Is(err, driver.ErrTimeout) {
		t.Fatalf("got %v", err)
	}
	second.leave()
	first.leave()
	if err := third.wait(time.Now(), nil); err != nil {
		t.Fatal(err)
	}
	fourth := l.join()
	closed := make(chan struct{})
	close(closed)
	if err := fourth.wait(time.Time{}, closed); !errors.Is(err, driver.ErrClosed) {
		t.Fatalf("got %v", err)
	}
}

func TestEndpoints(t *testing.T) {
	e := &endpoints{workdir: "/w", pid: 7, transports: []string{"tcp", "ipc"}}
	for endpoint, want := range map[string]driver.Name{
		"tcp://127.0.0.1:5555": "", "tcp://localhost:1": "", "tcp://*:5555": "", "ipc:///a": "", "ipc://a": "",
		"": driver.Invalid, "tcp": driver.Invalid, "tcp://": driver.Invalid, "://x": driver.Invalid,
		"tcp://127.0.0.1": driver.Invalid, "tcp://:5": driver.Invalid, "tcp://a:70000": driver.Invalid,
		"tcp://a:0": driver.Invalid, "tcp://a:*": driver.Invalid, "tcp://a:-1": driver.Invalid,
		"ipc://*": driver.Invalid, "ipc://@": driver.Invalid, "ipc://@*": driver.Invalid,
		"ipc://@a": driver.Unsupported, "tcp://[::1]:5": driver.Unsupported, "inproc://a": driver.Unsupported,
		"foo://a": driver.Unsupported,
	} {
		got := driver.Name("")
		if _, err := e.forConnect(endpoint, e.transports); err != nil {
			got = driver.Wrap(err).Name
		}
		if got != want {
			t.Errorf("%q: %q, want %q", endpoint, got, want)
		}
	}
}
