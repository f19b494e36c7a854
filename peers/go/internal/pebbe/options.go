//go:build cgo

package pebbe

import (
	"maps"
	"slices"
	"time"

	zmq "github.com/pebbe/zmq4"

	"zmq-interop/peers/go/internal/driver"
)

// option is how the binding sets and gets one socket option. Either may be missing.
type option struct {
	set func(*zmq.Socket, driver.Value) error
	get func(*zmq.Socket) (driver.Value, error)
}

type (
	setter[T any] = func(*zmq.Socket, T) error
	getter[T any] = func(*zmq.Socket) (T, error)
)

// options are libzmq's names without ZMQ_. The binding's own setters and getters stand beside them.
var options = map[string]option{
	"ROUTING_ID":         text((*zmq.Socket).SetIdentity, (*zmq.Socket).GetIdentity),
	"CONNECT_ROUTING_ID": text((*zmq.Socket).SetConnectRid, nil),
	"SUBSCRIBE":          text((*zmq.Socket).SetSubscribe, nil),
	"UNSUBSCRIBE":        text((*zmq.Socket).SetUnsubscribe, nil),

	"LINGER":            duration((*zmq.Socket).SetLinger, (*zmq.Socket).GetLinger),
	"SNDHWM":            integer((*zmq.Socket).SetSndhwm, (*zmq.Socket).GetSndhwm),
	"RCVHWM":            integer((*zmq.Socket).SetRcvhwm, (*zmq.Socket).GetRcvhwm),
	"SNDTIMEO":          duration((*zmq.Socket).SetSndtimeo, (*zmq.Socket).GetSndtimeo),
	"RCVTIMEO":          duration((*zmq.Socket).SetRcvtimeo, (*zmq.Socket).GetRcvtimeo),
	"SNDBUF":            integer((*zmq.Socket).SetSndbuf, (*zmq.Socket).GetSndbuf),
	"RCVBUF":            integer((*zmq.Socket).SetRcvbuf, (*zmq.Socket).GetRcvbuf),
	"MAXMSGSIZE":        integer((*zmq.Socket).SetMaxmsgsize, (*zmq.Socket).GetMaxmsgsize),
	"AFFINITY":          integer((*zmq.Socket).SetAffinity, (*zmq.Socket).GetAffinity),
	"BACKLOG":           integer((*zmq.Socket).SetBacklog, (*zmq.Socket).GetBacklog),
	"IMMEDIATE":         boolean((*zmq.Socket).SetImmediate, (*zmq.Socket).GetImmediate),
	"CONFLATE":          boolean((*zmq.Socket).SetConflate, nil),
	"IPV6":              boolean((*zmq.Socket).SetIpv6, (*zmq.Socket).GetIpv6),
	"TOS":               integer((*zmq.Socket).SetTos, (*zmq.Socket).GetTos),
	"RECONNECT_IVL":     duration((*zmq.Socket).SetReconnectIvl, (*zmq.Socket).GetReconnectIvl),
	"RECONNECT_IVL_MAX": duration((*zmq.Socket).SetReconnectIvlMax, (*zmq.Socket).GetReconnectIvlMax),
	"HANDSHAKE_IVL":     duration((*zmq.Socket).SetHandshakeIvl, (*zmq.Socket).GetHandshakeIvl),
	"CONNECT_TIMEOUT":   duration((*zmq.Socket).SetConnectTimeout, (*zmq.Socket).GetConnectTimeout),
	"HEARTBEAT_IVL":     duration((*zmq.Socket).SetHeartbeatIvl, nil),
	"HEARTBEAT_TTL":     duration((*zmq.Socket).SetHeartbeatTtl, nil),
	"HEARTBEAT_TIMEOUT": duration((*zmq.Socket).SetHeartbeatTimeout, nil),

	"TCP_KEEPALIVE":       integer((*zmq.Socket).SetTcpKeepalive, (*zmq.Socket).GetTcpKeepalive),
	"TCP_KEEPALIVE_IDLE":  integer((*zmq.Socket).SetTcpKeepaliveIdle, (*zmq.Socket).GetTcpKeepaliveIdle),
	"TCP_KEEPALIVE_CNT":   integer((*zmq.Socket).SetTcpKeepaliveCnt, (*zmq.Socket).GetTcpKeepaliveCnt),
	"TCP_KEEPALIVE_INTVL": integer((*zmq.Socket).SetTcpKeepaliveIntvl, (*zmq.Socket).GetTcpKeepaliveIntvl),
	"TCP_MAXRT":           duration((*zmq.Socket).SetTcpMaxrt, (*zmq.Socket).GetTcpMaxrt),

	"ROUTER_MANDATORY": integer((*zmq.Socket).SetRouterMandatory, nil),
	"ROUTER_HANDOVER":  boolean((*zmq.Socket).SetRouterHandover, nil),
	"PROBE_ROUTER":     integer((*zmq.Socket).SetProbeRouter, nil),
	"REQ_CORRELATE":    integer((*zmq.Socket).SetReqCorrelate, nil),
	"REQ_RELAXED":      integer((*zmq.Socket).SetReqRelaxed, nil),
	"XPUB_VERBOSE":     integer((*zmq.Socket).SetXpubVerbose, nil),
	"XPUB_VERBOSER":    integer((*zmq.Socket).SetXpubVerboser, nil),
	"XPUB_MANUAL":      integer((*zmq.Socket).SetXpubManual, nil),
	"XPUB_NODROP":      boolean((*zmq.Socket).SetXpubNodrop, nil),
	"XPUB_WELCOME_MSG": text((*zmq.Socket).SetXpubWelcomeMsg, nil),
	"INVERT_MATCHING":  integer((*zmq.Socket).SetInvertMatching, (*zmq.Socket).GetInvertMatching),
	"STREAM_NOTIFY":    integer((*zmq.Socket).SetStreamNotify, nil),

	"PLAIN_SERVER":    integer((*zmq.Socket).SetPlainServer, (*zmq.Socket).GetPlainServer),
	"PLAIN_USERNAME":  text((*zmq.Socket).SetPlainUsername, (*zmq.Socket).GetPlainUsername),
	"PLAIN_PASSWORD":  text((*zmq.Socket).SetPlainPassword, (*zmq.Socket).GetPlainPassword),
	"CURVE_SERVER":    integer((*zmq.Socket).SetCurveServer, nil),
	"CURVE_PUBLICKEY": text((*zmq.Socket).SetCurvePublickey, (*zmq.Socket).GetCurvePublickeykeyZ85),
	"CURVE_SECRETKEY": text((*zmq.Socket).SetCurveSecretkey, (*zmq.Socket).GetCurveSecretkeyZ85),
	"CURVE_SERVERKEY": text((*zmq.Socket).SetCurveServerkey, (*zmq.Socket).GetCurveServerkeyZ85),
	"ZAP_DOMAIN":      text((*zmq.Socket).SetZapDomain, (*zmq.Socket).GetZapDomain),

	"LAST_ENDPOINT": text(nil, (*zmq.Socket).GetLastEndpoint),
	"EVENTS":        integer(nil, (*zmq.Socket).GetEvents),
	"MECHANISM":     integer(nil, (*zmq.Socket).GetMechanism),
	"TYPE":          integer(nil, (*zmq.Socket).GetType),
}

func optionNames() []string { return slices.Sorted(maps.Keys(options)) }

// integers are the integer types of the binding's setters and getters.
type integers interface {
	~int | ~int64 | ~uint64
}

func integer[T integers](set setter[T], get getter[T]) option {
	return convert(set, get,
		func(v driver.Value) T { return T(v.Integer) },
		func(t T) driver.Value { return driver.Value{Integer: int64(t)} }, false)
}

func boolean(set setter[bool], get getter[bool]) option {
	return convert(set, get,
		func(v driver.Value) bool { return v.Integer != 0 },
		func(t bool) driver.Value {
			if t {
				return driver.Value{Integer: 1}
			}
			return driver.Value{}
		}, false)
}

// duration options are milliseconds in libzmq and a time.Duration in the binding, where -1 is a value
// of its own.
func duration(set setter[time.Duration], get getter[time.Duration]) option {
	return convert(set, get,
		func(v driver.Value) time.Duration {
			if v.Integer == -1 {
				return -1
			}
			return time.Duration(v.Integer) * time.Millisecond
		},
		func(t time.Duration) driver.Value {
			if t == -1 {
				return driver.Value{Integer: -1}
			}
			return driver.Value{Integer: t.Milliseconds()}
		}, false)
}

func text(set setter[string], get getter[string]) option {
	return convert(set, get,
		func(v driver.Value) string { return string(v.Bytes) },
		func(t string) driver.Value { return driver.Value{Bytes: append([]byte{}, t...)} }, true)
}

func convert[T any](
	set setter[T], get getter[T], in func(driver.Value) T, out func(T) driver.Value, bytes bool,
) (o option) {
	if set != nil {
		o.set = func(socket *zmq.Socket, value driver.Value) error {
			if bytes != (value.Bytes != nil) {
				return driver.ErrInvalid("the option takes " + map[bool]string{true: "a frame", false: "an integer"}[bytes])
			}
			return set(socket, in(value))
		}
	}
	if get != nil {
		o.get = func(socket *zmq.Socket) (driver.Value, error) {
			value, err := get(socket)
			if err != nil {
				return driver.Value{}, err
			}
			return out(value), nil
		}
	}
	return o
}

func setOption(socket *zmq.Socket, wanted driver.Option) error {
	o := options[wanted.Name]
	if o.set == nil {
		return driver.ErrUnsupported("the library cannot set an option " + wanted.Name)
	}
	return report(o.set(socket, wanted.Value))
}

func getOption(socket *zmq.Socket, name string) (driver.Value, error) {
	o := options[name]
	if o.get == nil {
		return driver.Value{}, driver.ErrUnsupported("the library cannot get an option " + name)
	}
	value, err := o.get(socket)
	return value, report(err)
}
