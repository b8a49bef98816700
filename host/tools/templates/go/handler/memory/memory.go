// Package memory collects garbage only when a component may.
//
// Go's collector may start at any allocation, also while the host copies a message into the handler's
// memory, where its calls are not allowed: the handler would trap after about ten thousand messages
// ("cannot leave component instance"). So it never starts by itself, and each message calls Collect.
package memory

import (
	"runtime"
	"runtime/debug"
)

// The memory in bytes from which garbage is collected. An instance has 64 MiB by default.
const room = 4 << 20

// The approximate cost of a message besides its bytes.
const perMessage = 1 << 10

var used = 0

func init() {
	debug.SetGCPercent(-1)
}

// Collect collects garbage if there may be much. It takes the length of the current message.
func Collect(message int) {
	used += 3*message + perMessage
	if used > room {
		runtime.GC()
		used = 0
	}
}
