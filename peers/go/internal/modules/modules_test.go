package modules

import (
	"runtime/debug"
	"testing"
)

func TestAReplacedModuleHasTheVersionOfWhatReplacedIt(t *testing.T) {
	cases := []struct {
		module debug.Module
		want   string
	}{
		{debug.Module{Version: "v0.17.0"}, "0.17.0"},
		{debug.Module{Version: "v0.17.0", Replace: &debug.Module{Version: "v0.16.0"}}, "0.16.0"},
		{debug.Module{Version: "v0.17.0", Replace: &debug.Module{Path: "/somewhere", Version: "(devel)"}}, "0.17.0+local"},
	}
	for _, c := range cases {
		if got := version(&c.module); got != c.want {
			t.Errorf("%+v: %s, not %s", c.module, got, c.want)
		}
	}
}

func TestAModuleThatIsNotThereHasNoVersion(t *testing.T) {
	if got := Version("example.org/nothing"); got != "unknown" {
		t.Errorf("%s, not unknown", got)
	}
}
