//go:build !wasip1

package outgoing

import (
	"bytes"
	"errors"
	"io"
	"net"
	"strconv"
)

// Servers are those of a unit test, by HOST:PORT. Whenever the handler reads, and all earlier
// replies are read, the function gets what the handler has written since, and returns the reply.
// Without one, the server has closed the connection. Others refuse connections.
var Servers = map[string]func(request []byte) []byte{}

type stream struct {
	answer  func([]byte) []byte
	written []byte
	reply   bytes.Buffer
}

func connect(host string, port uint16) (io.ReadWriteCloser, error) {
	answer := Servers[net.JoinHostPort(host, strconv.Itoa(int(port)))]
	if answer == nil {
		return nil, errors.New("connection refused")
	}
	return &stream{answer: answer}, nil
}

func (s *stream) Read(buffer []byte) (int, error) {
	if s.reply.Len() == 0 {
		s.reply.Write(s.answer(s.written))
		s.written = nil
	}
	return s.reply.Read(buffer)
}

func (s *stream) Write(bytes []byte) (int, error) {
	s.written = append(s.written, bytes...)
	return len(bytes), nil
}

func (s *stream) Close() error { return nil }
