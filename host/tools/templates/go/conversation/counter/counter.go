// Package counter greets clients and numbers their lines, also across versions of the handler.
package counter

import (
	"fmt"
	"strconv"
)

// Connection is the part of a connection that a counter uses.
type Connection interface {
	Send(bytes []byte)
	// Close closes the connection when everything is written.
	Close()
}

// Counter is the state of one connection.
type Counter struct {
	connection Connection
	lines      uint64
}

// Begin greets a new client.
func Begin(connection Connection) *Counter {
	connection.Send([]byte("hello\n"))
	return &Counter{connection, 0}
}

// Resume continues with the saved state of another version.
func Resume(connection Connection, saved []byte) (*Counter, error) {
	lines, err := strconv.ParseUint(string(saved), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the saved state is not a count: %w", err)
	}
	return &Counter{connection, lines}, nil
}

// Line replies to a line, without its ending.
func (c *Counter) Line(line []byte) {
	if string(line) == "quit" {
		c.SayGoodbye()
		c.connection.Close()
		return
	}
	c.lines++
	c.connection.Send(fmt.Appendf(nil, "%d %s\n", c.lines, line))
}

// SayGoodbye sends the number of lines.
func (c *Counter) SayGoodbye() {
	c.connection.Send(fmt.Appendf(nil, "goodbye after %d lines\n", c.lines))
}

// Saved is the state for the next version.
func (c *Counter) Saved() []byte {
	return strconv.AppendUint(nil, c.lines, 10)
}
