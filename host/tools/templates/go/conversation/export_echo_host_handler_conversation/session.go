// Package export_echo_host_handler_conversation is where the host tells the handler what happens. It is named after the
// contract's interface.
package export_echo_host_handler_conversation

import (
	"runtime"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/counter"
	"wit_component/echo_host_handler_connections"
	"wit_component/echo_host_handler_types"
	"wit_component/memory"
)

// Session is a counter for one connection. The bindings need its first two fields.
type Session struct {
	handle     int32
	pinner     runtime.Pinner
	connection connection
	counter    *counter.Counter
}

// What a callback returns.
type outcome = Result[Unit, echo_host_handler_types.Failure]

// connection is the host's, as the counter wants it.
type connection struct {
	*echo_host_handler_connections.Connection
}

func (c connection) Close() {
	c.Connection.Close(echo_host_handler_connections.CloseMode_Graceful)
}

// SessionOpen is called when a client has connected. Another version may have saved something for it.
func SessionOpen(
	handle *echo_host_handler_connections.Connection,
	saved Option[[]byte],
) Result[*Session, echo_host_handler_types.Failure] {
	connection := connection{handle}
	if saved.IsNone() {
		counter := counter.Begin(connection)
		return Ok[*Session, echo_host_handler_types.Failure](&Session{connection: connection, counter: counter})
	}
	counter, err := counter.Resume(connection, saved.Some())
	if err != nil {
		return Err[*Session](echo_host_handler_types.MakeFailureInternal(err.Error()))
	}
	return Ok[*Session, echo_host_handler_types.Failure](&Session{connection: connection, counter: counter})
}

// OnMessage is called with each line.
func (s *Session) OnMessage(line []byte) outcome {
	memory.Collect(len(line))
	s.counter.Line(line)
	return done()
}

// OnEof is called when the client has finished sending.
func (s *Session) OnEof() outcome { return done() }

// OnWritable is called when much was queued, and is written.
func (s *Session) OnWritable() outcome { return done() }

// OnTimer is called when a timer has run out.
func (s *Session) OnTimer(_ uint32) outcome { return done() }

// OnShutdown is called when the host stops, or swaps this handler out.
func (s *Session) OnShutdown() outcome {
	s.counter.SayGoodbye()
	return done()
}

// Save returns what the next version needs.
func (s *Session) Save() Option[[]byte] {
	return Some(s.counter.Saved())
}

// OnDrop is called when the connection has ended.
func (s *Session) OnDrop() {
	s.connection.Drop()
}

func done() outcome {
	return Ok[Unit, echo_host_handler_types.Failure](Unit{})
}
