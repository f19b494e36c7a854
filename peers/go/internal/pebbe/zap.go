//go:build cgo

package pebbe

import (
	"slices"
	"strconv"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// The binding's own handler (AuthStart) belongs to its default context and there is one in a process, so
// this is a handler for any context, as 27/ZAP has it.

const zapEndpoint = "inproc://zeromq.zap.01" // 27/ZAP: where the server looks for its handler

// Authenticate implements driver.Authenticator.
func (l *Library) Authenticate(context string, policy driver.Policy) error {
	lease, err := l.contexts.Begin(context)
	if err != nil {
		return report(err)
	}
	handler, err := lease.Context.socket(zmq.REP)
	if err != nil {
		return report(err)
	}
	_ = handler.SetLinger(0)
	if err := handler.Bind(zapEndpoint); err != nil {
		_ = handler.Close()
		return report(err)
	}
	go func() {
		defer func() { _ = handler.Close() }() // the context waits for it
		for {
			request, err := handler.RecvMessageBytes(0)
			if err != nil {
				return // the context ends
			}
			if _, err := handler.SendMessage(answer(policy, request)); err != nil {
				return
			}
		}
	}()
	return nil
}

// answer gives the reply to a ZAP request: version, request id, status code and text, user id, metadata.
func answer(policy driver.Policy, request [][]byte) []string {
	// 27/ZAP: version, request id, domain, address, identity, mechanism, credentials
	if len(request) < 6 || string(request[0]) != "1.0" {
		id := ""
		if len(request) > 1 {
			id = string(request[1])
		}
		return []string{"1.0", id, "500", "not a request of ZAP 1.0", "", ""}
	}
	id, domain, mechanism := string(request[1]), string(request[2]), string(request[5])
	user, ok := "", false
	if policy.Domain == "" || policy.Domain == domain {
		user, ok = admits(policy, mechanism, request[6:])
	}
	if !ok {
		return []string{"1.0", id, "400", "not listed", "", ""}
	}
	return []string{"1.0", id, "200", "OK", user, ""}
}

// admits tells whether a policy lets a client in, and as whom. NULL has no credentials that could be listed.
func admits(policy driver.Policy, mechanism string, credentials [][]byte) (user string, ok bool) {
	switch {
	case mechanism == "PLAIN" && len(credentials) == 2:
		user = string(credentials[0])
		password, known := policy.Plain[user]
		return user, known && password == string(credentials[1])
	case mechanism == "CURVE" && len(credentials) == 1 && len(credentials[0]) == 32:
		user = zmq.Z85encode(string(credentials[0]))
		return user, policy.Any || slices.Contains(policy.Curve, user)
	}
	return "", false
}

// Keypair implements driver.KeyMaker.
func (l *Library) Keypair() (public, secret string, err error) {
	if !zmq.HasCurve() {
		return "", "", driver.ErrUnsupported("this libzmq has no CURVE")
	}
	public, secret, err = zmq.NewCurveKeypair()
	return public, secret, report(err)
}

func decimal(n int64) string { return strconv.FormatInt(n, 10) }
