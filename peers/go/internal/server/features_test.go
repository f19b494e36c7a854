package server

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"zmq-interop/peers/go/internal/rpc"
)

func TestTheTimerWaits(t *testing.T) {
	p := newPeer(t)
	start := time.Now()
	var waited struct{ NS time.Duration }
	err := json.Unmarshal([]byte(p.call("timer", `{"ms":20}`)), &waited)
	if err != nil || waited.NS < 20*time.Millisecond || waited.NS > time.Since(start) {
		t.Errorf("waited %v, %v", waited.NS, err)
	}
}

func TestATimeoutTellsHowLongTheLibraryWaited(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.expect("recv", `{"socket":1,"timeout":20}`, `-32000 timeout{"messages":[]}`)
	if p.waited < 20*time.Millisecond || p.waited > 5*time.Second {
		t.Errorf("waited %v", p.waited)
	}
	p.start("first", "recv", `{"socket":1,"timeout":100}`)
	p.expect("recv", `{"socket":1,"timeout":1}`, `-32000 timeout{"messages":[]}`)
	if p.waited != 0 {
		t.Errorf("a call whose turn never came waited %v", p.waited)
	}
	p.wait("first")
}

// The fake library has no ability beyond the rest; what needs one is unsupported, what is wrong is invalid.
func TestFeaturesThatTheLibraryLacks(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.call("open", `{"type":"LOOP"}`)
	for _, c := range []struct{ method, params, want string }{
		{"timer", `{}`, `-32602 invalid`},
		{"timer", `{"ms":-1}`, `-32602 invalid`},
		{"term", `{"context":"c"}`, `-32000 unsupported`},
		{"monitor", `{"socket":1}`, `-32000 unsupported`},
		{"events", `{"socket":1}`, `-32000 unsupported`},
		{"events", `{"socket":9}`, `-32602 invalid`},
		{"zap", `{"context":"c","curve":"any","plain":{"u":"p"}}`, `-32000 unsupported`},
		{"zap", `{"context":"c","curve":"all"}`, `-32602 invalid`},
		{"zap", `{"context":"c","plain":{"u":1}}`, `-32602 invalid`},
		{"keypair", `{}`, `-32000 unsupported`},
		{"share", `{"socket":1,"workers":2,"count":1,"size":16,"how":"mutex"}`, `-32000 unsupported`},
		{"share", `{"socket":1,"workers":2,"count":1,"size":16,"how":"well"}`, `-32602 invalid`},
		{"share", `{"socket":1,"count":1,"size":16,"how":"mutex"}`, `-32602 invalid`},
		{"swarm", `{"context":"c","type":"LOOP","endpoint":"tcp://127.0.0.1:*","workers":1,"count":1,"size":16}`, `-32602 invalid`},
		{"swarm", `{"context":"c","type":"NONE","endpoint":"tcp://127.0.0.1:1","workers":2,"count":1,"size":16}`, `-32000 unsupported{"ns":`},
		{"tune", `{"context":"c","options":{"IO_THREADS":2}}`, `-32000 unsupported`},
		{"tune", `{"context":"c"}`, `-32602 invalid`},
		{"callers", `{"type":"REQ","endpoint":"tcp://127.0.0.1:1","clients":1,"count":1,"size":16}`, `-32000 unsupported`},
		{"callers", `{"type":"PUSH","endpoint":"tcp://127.0.0.1:1","clients":1,"count":1,"size":16}`, `-32602 invalid`},
		{"beside", `{"how":"sleep","threads":1,"ms":1}`, `-32602 invalid`},
		{"echo", `{"socket":1,"count":1,"size":16}`, `-32602 invalid`},
		{"flood", `{"socket":1,"count":1,"size":23,"stamp":true}`, `-32602 invalid`},
		{"flood", `{"socket":1,"count":1,"size":24,"stamp":1}`, `-32602 invalid`},
		{"ping", `{"socket":1,"count":1,"size":16,"rate":0}`, `-32602 invalid`},
		{"steer", `{"socket":1,"command":"STOP"}`, `-32602 invalid`},
		{"steer", `{"socket":1,"command":"PAUSE"}`, `-32000 state`},
	} {
		if got := p.call(c.method, c.params); !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s\n got %s\nwant %s", c.method, c.params, got, c.want)
		}
	}
	p.start("p", "proxy", `{"socket":1,"backend":2}`)
	for p.call("steer", `{"socket":1,"command":"PAUSE"}`) != `-32000 unsupported` {
		time.Sleep(time.Millisecond)
	}
	p.call("close", `{"socket":1}`)
	if got := p.wait("p"); got != `{"forward":0,"backward":0}` {
		t.Errorf("got %s", got)
	}
}

func TestAnAbandonedSocketIsAsGoodAsClosed(t *testing.T) {
	p := newPeer(t)
	p.call("open", `{"type":"LOOP"}`)
	p.start("r", "recv", `{"socket":1,"timeout":60000}`)
	p.expect("abandon", `{"socket":1}`, `{}`)
	p.expect("abandon", `{"socket":1}`, `-32000 closed`)
	if got := p.wait("r"); got != `-32000 closed{"messages":[]}` {
		t.Error(got)
	}
	if got := p.call("stats", `{}`); !strings.Contains(got, `"contexts":1,`) || !strings.Contains(got, `"sockets":0`) {
		t.Error(got)
	}
}

func TestWorkBesideTheSocketsMakesRounds(t *testing.T) {
	p := newPeer(t)
	for _, how := range []string{"spin", "allocate", "reuse"} {
		var made struct{ Rounds int64 }
		err := json.Unmarshal([]byte(p.call("beside", `{"how":"`+how+`","threads":2,"ms":10,"bytes":1000}`)), &made)
		if err != nil || made.Rounds == 0 {
			t.Errorf("%s: %+v, %v", how, made, err)
		}
	}
}

func TestADumpFitsALine(t *testing.T) {
	handles := slices.Repeat([]string{"9 socket tcp 127.0.0.1:35211>127.0.0.1:5555 ESTABLISHED"}, 20_000)
	kept := cut(handles, maxHandles)
	text, _ := json.Marshal(kept)
	if len(text) > rpc.MaxLine/2 || !strings.HasSuffix(kept[len(kept)-1], "more") || len(cut(handles[:10], maxHandles)) != 10 {
		t.Errorf("%d bytes, %s", len(text), kept[len(kept)-1])
	}
}
