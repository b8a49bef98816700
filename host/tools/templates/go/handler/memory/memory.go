// Package memory collects garbage at times that are good for a component.
//
// Go's collector may start whenever memory is wanted, also while the host puts a message into the handler's memory, and
// what it then does is not allowed there: the handler would end after some ten thousand messages ("cannot leave
// component instance"). So it never starts by itself, and Collect is called while a message is dealt with.
package memory

import (
	"runtime"
	"runtime/debug"
)

// How much may be used, in bytes, before it is collected. An instance has 64 MiB if the operator says no more.
const room = 4 << 20

// About what a message costs besides its own bytes.
const perMessage = 1 << 10

var used = 0

func init() {
	debug.SetGCPercent(-1)
}

// Collect collects garbage if there may be much of it. It is told the length of the message at hand.
func Collect(message int) {
	used += 3*message + perMessage
	if used > room {
		runtime.GC()
		used = 0
	}
}
