package outgoing

import (
	"errors"
	"fmt"
	"io"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/wasi_io_poll"
	"wit_component/wasi_io_streams"
	networks "wit_component/wasi_sockets_instance_network"
	names "wit_component/wasi_sockets_ip_name_lookup"
	. "wit_component/wasi_sockets_network"
	"wit_component/wasi_sockets_tcp"
	sockets "wit_component/wasi_sockets_tcp_create_socket"
)

// What wasi:io accepts in one write.
const maxWriteBytes = 4096

// stream is a connection to a server.
type stream struct {
	input  *wasi_io_streams.InputStream
	output *wasi_io_streams.OutputStream
	socket *wasi_sockets_tcp.TcpSocket
}

func connect(host string, port uint16) (io.ReadWriteCloser, error) {
	network := networks.InstanceNetwork()
	defer network.Drop()
	addresses, err := settle(nil, func() Result[*names.ResolveAddressStream, ErrorCode] {
		return names.ResolveAddresses(network, host)
	})
	if err != nil {
		return nil, err
	}
	defer addresses.Drop()
	last := errors.New("the name has no address")
	for {
		address, err := settle(addresses.Subscribe, addresses.ResolveNextAddress)
		if err != nil {
			return nil, err
		}
		if address.IsNone() {
			return nil, last
		}
		stream, err := connectTo(network, address.Some(), port)
		if err == nil {
			return stream, nil
		}
		last = err
	}
}

func connectTo(network *Network, ip IpAddress, port uint16) (io.ReadWriteCloser, error) {
	family, address := IpAddressFamily_Ipv6, IpSocketAddress{}
	if ip.Tag() == IpAddress_Ipv4 {
		family = IpAddressFamily_Ipv4
		address = MakeIpSocketAddressIpv4(Ipv4SocketAddress{Port: port, Address: ip.Ipv4()})
	} else {
		address = MakeIpSocketAddressIpv6(Ipv6SocketAddress{Port: port, Address: ip.Ipv6()})
	}
	socket, err := settle(nil, func() Result[*wasi_sockets_tcp.TcpSocket, ErrorCode] { return sockets.CreateTcpSocket(family) })
	if err != nil {
		return nil, err
	}
	if begun := socket.StartConnect(network, address); begun.IsErr() {
		socket.Drop()
		return nil, reason(begun.Err())
	}
	streams, err := settle(socket.Subscribe, socket.FinishConnect)
	if err != nil {
		socket.Drop()
		return nil, err
	}
	return &stream{streams.F0, streams.F1, socket}, nil
}

// Read waits for bytes.
func (s *stream) Read(buffer []byte) (int, error) {
	if len(buffer) == 0 {
		return 0, nil
	}
	read := s.input.BlockingRead(uint64(len(buffer)))
	if read.IsErr() {
		return 0, failure(read.Err(), io.EOF)
	}
	return copy(buffer, read.Ok()), nil
}

// Write waits until the bytes are on their way.
func (s *stream) Write(bytes []byte) (int, error) {
	for start := 0; start < len(bytes); start += maxWriteBytes {
		piece := bytes[start:min(start+maxWriteBytes, len(bytes))]
		if written := s.output.BlockingWriteAndFlush(piece); written.IsErr() {
			return start, failure(written.Err(), io.ErrClosedPipe)
		}
	}
	return len(bytes), nil
}

// Close closes the connection. The streams of a socket go before it.
func (s *stream) Close() error {
	s.input.Drop()
	s.output.Drop()
	s.socket.Drop()
	return nil
}

func failure(err wasi_io_streams.StreamError, closed error) error {
	if err.Tag() == wasi_io_streams.StreamError_Closed {
		return closed
	}
	cause := err.LastOperationFailed()
	defer cause.Drop()
	return errors.New(cause.ToDebugString())
}

// settle waits until the operation does not fail with would-block.
func settle[T any](subscribe func() *wasi_io_poll.Pollable, operation func() Result[T, ErrorCode]) (T, error) {
	for {
		result := operation()
		if result.IsOk() {
			return result.Ok(), nil
		}
		if code := result.Err(); code != ErrorCode_WouldBlock || subscribe == nil {
			var none T
			return none, reason(code)
		}
		pollable := subscribe()
		pollable.Block()
		pollable.Drop()
	}
}

func reason(code ErrorCode) error {
	switch code {
	case ErrorCode_AccessDenied:
		return errors.New("access denied")
	case ErrorCode_ConnectionRefused:
		return errors.New("connection refused")
	case ErrorCode_NameUnresolvable:
		return errors.New("unknown host")
	case ErrorCode_RemoteUnreachable:
		return errors.New("host unreachable")
	case ErrorCode_Timeout:
		return errors.New("timeout")
	}
	return fmt.Errorf("wasi:sockets error %d", code)
}
