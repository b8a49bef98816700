// Package counter greets clients and numbers their lines, also across versions of the handler.
package counter

import (
	"fmt"
	"strconv"

	"wit_component/kit"
)

// Connection is the part of a connection that a counter uses.
type Connection interface {
	kit.Sender
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
	kit.SendLine(connection, "hello")
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
func (c *Counter) Line(message []byte) error {
	line, err := kit.Text(message)
	if err != nil {
		return err
	}
	if line == "quit" {
		c.SayGoodbye()
		c.connection.Close()
		return nil
	}
	c.lines++
	kit.Printf(c.connection, "%d %s\n", c.lines, line)
	return nil
}

// SayGoodbye sends the number of lines.
func (c *Counter) SayGoodbye() {
	kit.Printf(c.connection, "goodbye after %d lines\n", c.lines)
}

// Saved is the state for the next version.
func (c *Counter) Saved() []byte {
	return strconv.AppendUint(nil, c.lines, 10)
}
