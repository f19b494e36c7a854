package process

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Handles say what each open file descriptor is: "4 anon_inode:[eventpoll]",
// "9 socket tcp 127.0.0.1:35211>127.0.0.1:5555 ESTABLISHED".
func Handles() []string {
	sockets := make(map[string]string)
	for _, family := range []string{"tcp", "tcp6", "udp", "udp6"} {
		table("/proc/self/net/"+family, func(f []string) {
			if len(f) > 9 {
				sockets[f[9]] = fmt.Sprintf("%s %s>%s %s", family, address(f[1]), address(f[2]), state(f[3]))
			}
		})
	}
	table("/proc/self/net/unix", func(f []string) {
		if len(f) > 6 {
			sockets[f[6]] = strings.Join(append(append([]string{"unix"}, f[7:]...), unixState(f[3], f[5])), " ")
		}
	})
	folder, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil
	}
	names, _ := folder.Readdirnames(-1)
	_ = folder.Close()
	handles := make([]string, 0, len(names))
	for _, name := range sorted(names) {
		what, err := os.Readlink("/proc/self/fd/" + name)
		if err != nil {
			continue // the folder itself
		}
		if inode, ok := strings.CutPrefix(what, "socket:["); ok {
			if known := sockets[strings.TrimSuffix(inode, "]")]; known != "" {
				what = "socket " + known
			}
		}
		handles = append(handles, name+" "+what)
	}
	return handles
}

func sorted(names []string) []string {
	number := func(name string) int { n, _ := strconv.Atoi(name); return n }
	slices.SortFunc(names, func(a, b string) int { return number(a) - number(b) })
	return names
}

// table reads the lines of a file but for the first, which is a heading.
func table(path string, take func(fields []string)) {
	file, err := os.Open(path)
	if err != nil {
		return
	}
	defer func() { _ = file.Close() }()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		take(strings.Fields(lines.Text()))
	}
}

// address reads one of those tables: words of 32 bits in the machine's order, and the port.
func address(text string) string {
	words, port, _ := strings.Cut(text, ":")
	bytes, err := hex.DecodeString(words)
	number, wrong := strconv.ParseUint(port, 16, 16)
	if err != nil || wrong != nil || len(bytes)%4 != 0 {
		return text
	}
	for i := 0; i < len(bytes); i += 4 {
		binary.BigEndian.PutUint32(bytes[i:], binary.NativeEndian.Uint32(bytes[i:]))
	}
	ip, ok := netip.AddrFromSlice(bytes)
	if !ok {
		return text
	}
	return netip.AddrPortFrom(ip, uint16(number)).String()
}

// unixState reads flags and state of a Unix socket.
func unixState(flags, state string) string {
	const accepts = 0x10000
	if set, err := strconv.ParseUint(flags, 16, 32); err == nil && set&accepts != 0 {
		return "LISTEN"
	}
	name := map[string]string{"01": "UNCONNECTED", "02": "CONNECTING", "03": "CONNECTED", "04": "DISCONNECTING"}[state]
	if name == "" {
		return state
	}
	return name
}

// states are the kernel's names of a TCP connection's, from 1.
var states = []string{
	"ESTABLISHED", "SYN_SENT", "SYN_RECV", "FIN_WAIT1", "FIN_WAIT2", "TIME_WAIT", "CLOSE", "CLOSE_WAIT",
	"LAST_ACK", "LISTEN", "CLOSING", "NEW_SYN_RECV",
}

func state(text string) string {
	n, err := strconv.ParseUint(text, 16, 8)
	if err != nil || n < 1 || int(n) > len(states) {
		return text
	}
	return states[n-1]
}
