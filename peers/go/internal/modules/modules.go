// Package modules says which version of a library a program was built with.
package modules

import (
	"runtime/debug"
	"strings"
)

// Version is the version of a module in this program, without its v: "0.17.0", and "0.17.0+local" where a folder
// took the module's place. It is "unknown" where the program does not hold the module.
func Version(path string) string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dependency := range info.Deps {
			if dependency.Path == path {
				return version(dependency)
			}
		}
	}
	return "unknown"
}

func version(module *debug.Module) string {
	switch {
	case module.Replace == nil:
		return strings.TrimPrefix(module.Version, "v")
	case !strings.HasPrefix(module.Replace.Version, "v"): // a folder has none
		return strings.TrimPrefix(module.Version, "v") + "+local"
	default:
		return strings.TrimPrefix(module.Replace.Version, "v")
	}
}
