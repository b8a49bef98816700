// Package outgoing connects to other servers by TCP, as far as --allow-connect grants it
// (wasi:sockets). The handler waits within its call, and so does everybody who shares its instance,
// at most as long as --call-timeout allows. In a unit test, Servers answer.
package outgoing

import (
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"strings"
)

// Connect connects to a server, named HOST:PORT or [IPV6]:PORT: to the first of its addresses that
// accepts.
func Connect(server string) (io.ReadWriteCloser, error) {
	host, port, ok := parse(server)
	if !ok {
		return nil, fmt.Errorf("expected HOST:PORT, not `%s`", server)
	}
	stream, err := connect(host, port)
	if err != nil {
		return nil, fmt.Errorf("cannot connect to %s: %w", server, err)
	}
	return stream, nil
}

func parse(server string) (string, uint16, bool) {
	end := strings.LastIndexByte(server, ':')
	if end < 0 {
		return "", 0, false
	}
	host, digits := server[:end], server[end+1:]
	port, err := strconv.ParseUint(digits, 10, 16)
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
		_, wrong := netip.ParseAddr(host)
		return host, uint16(port), err == nil && wrong == nil
	}
	// Without brackets, the last part of an IPv6 address would be the port.
	return host, uint16(port), err == nil && host != "" && !strings.ContainsAny(host, "[]:")
}
