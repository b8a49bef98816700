// Package export_echo_host_handler_conversation receives the events of sessions.
// It is named after the contract's interface.
package export_echo_host_handler_conversation

import (
	"errors"
	"runtime"

	. "go.bytecodealliance.org/pkg/wit/types"
	"wit_component/counter"
	"wit_component/echo_host_handler_connections"
	"wit_component/echo_host_handler_types"
	"wit_component/kit"
	"wit_component/memory"
)

// Session is a counter for one connection. The bindings need its first two fields.
type Session struct {
	handle     int32
	pinner     runtime.Pinner
	connection *echo_host_handler_connections.Connection
	counter    *counter.Counter
}

// The result of a callback.
type outcome = Result[Unit, echo_host_handler_types.Failure]

// SessionOpen is called for a new client, perhaps with the saved state of another version.
func SessionOpen(
	connection *echo_host_handler_connections.Connection,
	saved Option[[]byte],
) Result[*Session, echo_host_handler_types.Failure] {
	if saved.IsNone() {
		counter := counter.Begin(connection)
		return Ok[*Session, echo_host_handler_types.Failure](&Session{connection: connection, counter: counter})
	}
	counter, err := counter.Resume(connection, saved.Some())
	if err != nil {
		return Err[*Session](failure(err))
	}
	return Ok[*Session, echo_host_handler_types.Failure](&Session{connection: connection, counter: counter})
}

// OnMessage is called with each line.
func (s *Session) OnMessage(line []byte) outcome {
	memory.Collect(len(line))
	if err := s.counter.Line(line); err != nil {
		return Err[Unit](failure(err))
	}
	return done()
}

// OnEof is called when the client has shut down sending.
func (s *Session) OnEof() outcome { return done() }

// OnWritable is called when a full queue is written.
func (s *Session) OnWritable() outcome { return done() }

// OnTimer is called when a timer expires.
func (s *Session) OnTimer(_ uint32) outcome { return done() }

// OnShutdown is called when the host stops or swaps this handler out.
func (s *Session) OnShutdown() outcome {
	s.counter.SayGoodbye()
	return done()
}

// Save returns the state for the next version.
func (s *Session) Save() Option[[]byte] {
	return Some(s.counter.Saved())
}

// OnDrop is called after the connection has ended.
func (s *Session) OnDrop() {
	s.connection.Drop()
}

func done() outcome {
	return Ok[Unit, echo_host_handler_types.Failure](Unit{})
}

// An error that is no failure of the kit's is the handler's own.
func failure(err error) echo_host_handler_types.Failure {
	var failure *kit.Failure
	if errors.As(err, &failure) {
		return echo_host_handler_types.Failure{Kind: failure.Kind, Reason: failure.Reason}
	}
	return echo_host_handler_types.Failure{Kind: "internal", Reason: err.Error()}
}
