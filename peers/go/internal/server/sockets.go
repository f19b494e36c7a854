package server

import (
	"maps"
	"math"

	"zmq-interop/peers/go/internal/driver"
	"zmq-interop/peers/go/internal/raw"
	"zmq-interop/peers/go/internal/rpc"
)

// methods are the contract's methods (sections 4, 5 and 7).
var methods map[string]method

func init() {
	methods = map[string]method{
		"hello": hello, "stats": stats, "dump": dump, "quit": quit,
		"open": open, "close": closeSocket,
		"bind": bind, "connect": connect, "unbind": unbind, "disconnect": disconnect,
		"set": set, "get": get, "send": send, "recv": recv,
	}
	maps.Copy(methods, workloads)
	maps.Copy(methods, features)
}

const anySocket = math.MaxInt64

// onSocket finishes the parameters of a call on a socket and finds the socket.
func (s *Server) onSocket(params *rpc.Params) (*handle, error) {
	params.Must("socket")
	number := params.Integer("socket", math.MinInt64, anySocket, 0)
	if err := params.Done(); err != nil {
		return nil, err
	}
	return s.handles.get(number)
}

func open(s *Server, params *rpc.Params) (task, error) {
	params.Must("type")
	socketType := params.Text("type", "")
	context := params.Text("context", "")
	options := params.Options("options")
	binds, connects := params.Texts("bind"), params.Texts("connect")
	if err := params.Done(); err != nil {
		return nil, err
	}
	return func() (any, error) {
		socket, err := s.make(context, socketType, options)
		if err != nil {
			return nil, err
		}
		actual := make([]string, 0, len(binds)+len(connects))
		for i, endpoint := range append(binds, connects...) {
			if i < len(binds) {
				endpoint, err = s.bind(socket, endpoint)
			} else {
				endpoint, err = s.connect(socket, endpoint)
			}
			if err != nil {
				_ = socket.Close()
				return nil, err
			}
			actual = append(actual, endpoint)
		}
		entry, ok := s.handles.add(socketType, socket)
		if !ok {
			_ = socket.Close()
			return nil, driver.ErrClosed
		}
		return map[string]any{"socket": entry.number, "endpoints": actual}, nil
	}, nil
}

// make makes a socket, of the library or RAW.
func (s *Server) make(context, socketType string, options []driver.Option) (driver.Socket, error) {
	if socketType != rawType {
		return s.library.Open(context, socketType, options)
	}
	socket := raw.New()
	for _, option := range options {
		if err := socket.Set(option); err != nil {
			return nil, err
		}
	}
	return socket, nil
}

func (s *Server) bind(socket driver.Socket, endpoint string) (string, error) {
	endpoint, err := s.endpoints.forBind(endpoint, s.endpoints.of(socket))
	if err != nil {
		return "", err
	}
	return socket.Bind(endpoint)
}

func (s *Server) connect(socket driver.Socket, endpoint string) (string, error) {
	endpoint, err := s.endpoints.forConnect(endpoint, s.endpoints.of(socket))
	if err != nil {
		return "", err
	}
	return endpoint, socket.Connect(endpoint)
}

// endpointCall is the shape of bind, connect, unbind and disconnect.
func endpointCall(call func(s *Server, socket driver.Socket, endpoint string) (any, error)) method {
	return func(s *Server, params *rpc.Params) (task, error) {
		params.Must("endpoint")
		endpoint := params.Text("endpoint", "")
		entry, err := s.onSocket(params)
		if err != nil {
			return nil, err
		}
		return func() (any, error) { return call(s, entry.socket, endpoint) }, nil
	}
}

var (
	bind = endpointCall(func(s *Server, socket driver.Socket, endpoint string) (any, error) {
		actual, err := s.bind(socket, endpoint)
		return map[string]any{"endpoint": actual}, err
	})
	connect = endpointCall(func(s *Server, socket driver.Socket, endpoint string) (any, error) {
		actual, err := s.connect(socket, endpoint)
		return map[string]any{"endpoint": actual}, err
	})
	unbind = endpointCall(func(_ *Server, socket driver.Socket, endpoint string) (any, error) {
		if able, ok := socket.(driver.Unbinder); ok {
			return nil, able.Unbind(endpoint)
		}
		return nil, driver.ErrUnsupported("the library cannot unbind")
	})
	disconnect = endpointCall(func(_ *Server, socket driver.Socket, endpoint string) (any, error) {
		if able, ok := socket.(driver.Disconnecter); ok {
			return nil, able.Disconnect(endpoint)
		}
		return nil, driver.ErrUnsupported("the library cannot disconnect")
	})
)

func set(s *Server, params *rpc.Params) (task, error) {
	params.Must("option", "value")
	option := driver.Option{Name: params.Text("option", ""), Value: params.Value("value")}
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	return func() (any, error) { return nil, entry.socket.Set(option) }, nil
}

func get(s *Server, params *rpc.Params) (task, error) {
	params.Must("option")
	name := params.Text("option", "")
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	return func() (any, error) {
		value, err := entry.socket.Get(name)
		return map[string]any{"value": optionValue(value)}, err
	}, nil
}

func closeSocket(s *Server, params *rpc.Params) (task, error) {
	entry, err := s.onSocket(params)
	if err != nil {
		return nil, err
	}
	if _, err := s.handles.retire(entry.number); err != nil {
		return nil, err
	}
	return func() (any, error) {
		defer s.handles.gone()
		return nil, entry.socket.Close()
	}, nil
}
