// Package counter greets, and numbers the lines it is sent, across versions of itself.
package counter

import (
	"fmt"
	"strconv"
)

// Connection is what a counter needs of one.
type Connection interface {
	Send(bytes []byte)
	// Close closes when all that was sent is written.
	Close()
}

// Counter is what one connection has come to.
type Counter struct {
	connection Connection
	lines      uint64
}

// Begin greets a client that has connected.
func Begin(connection Connection) *Counter {
	connection.Send([]byte("hello\n"))
	return &Counter{connection, 0}
}

// Resume goes on where another version was, which has saved this.
func Resume(connection Connection, saved []byte) (*Counter, error) {
	lines, err := strconv.ParseUint(string(saved), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("what was saved is no count: %w", err)
	}
	return &Counter{connection, lines}, nil
}

// Line answers a line, which comes without its ending.
func (c *Counter) Line(line []byte) {
	if string(line) == "quit" {
		c.SayGoodbye()
		c.connection.Close()
		return
	}
	c.lines++
	c.connection.Send(fmt.Appendf(nil, "%d %s\n", c.lines, line))
}

// SayGoodbye tells how many lines there were.
func (c *Counter) SayGoodbye() {
	c.connection.Send(fmt.Appendf(nil, "goodbye after %d lines\n", c.lines))
}

// Saved is what the next version needs to go on.
func (c *Counter) Saved() []byte {
	return strconv.AppendUint(nil, c.lines, 10)
}
