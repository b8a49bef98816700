// Package kittest stands in for the host's connection in unit tests.
package kittest

import (
	"time"

	"wit_component/kit"
)

// Connection records what a session does with its connection.
type Connection struct {
	Closed bool
	sent   string
	timers map[uint32]uint32
}

func (c *Connection) Send(bytes []byte) { c.sent += string(bytes) }

func (c *Connection) Close() { c.Closed = true }

func (c *Connection) SetTimer(id uint32, delayMs uint32) {
	if c.timers == nil {
		c.timers = make(map[uint32]uint32)
	}
	c.timers[id] = delayMs
}

func (c *Connection) CancelTimer(id uint32) { delete(c.timers, id) }

// Received is what was sent since the last call.
func (c *Connection) Received() string {
	sent := c.sent
	c.sent = ""
	return sent
}

// Timer is the time after which the timer with this name fires, and whether it is set.
func (c *Connection) Timer(name string) (time.Duration, bool) {
	delay, ok := c.timers[kit.Timer(name)]
	return time.Duration(delay) * time.Millisecond, ok
}
