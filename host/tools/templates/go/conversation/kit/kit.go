// Package kit has what most conversations need: lines, text, and timers with names. The packages
// below it have the operator's settings, values that outlive an instance, and connections to other
// servers. In unit tests, kittest and functions of these packages stand in for the host.
package kit

import (
	"fmt"
	"hash/fnv"
	"math"
	"time"
	"unicode/utf8"
)

// Sender is the part of a connection that sends.
type Sender interface {
	Send(bytes []byte)
}

// TimerSetter is the part of a connection that sets timers.
type TimerSetter interface {
	SetTimer(id uint32, delayMs uint32)
}

// TimerCanceller is the part of a connection that cancels timers.
type TimerCanceller interface {
	CancelTimer(id uint32)
}

// Failure ends a session. The contract says what the client still receives for each kind.
type Failure struct {
	Kind   string
	Reason string
}

func (f *Failure) Error() string { return f.Reason }

// SendLine sends a line: the text and a line feed.
func SendLine(connection Sender, line string) {
	connection.Send([]byte(line + "\n"))
}

// Printf sends formatted text.
func Printf(connection Sender, format string, values ...any) {
	connection.Send(fmt.Appendf(nil, format, values...))
}

// Text is the message as text. If it is not UTF-8, the client broke the protocol.
func Text(message []byte) (string, error) {
	if !utf8.Valid(message) {
		return "", &Failure{"protocol", "the message is not UTF-8"}
	}
	return string(message), nil
}

// Timer is the number of the timer with this name, to compare in OnTimer: the 32-bit FNV-1a hash of
// the name with the highest bit set, in the kits of all languages. So the next version of a handler
// knows the timers of the previous one.
func Timer(name string) uint32 {
	hash := fnv.New32a()
	hash.Write([]byte(name))
	return hash.Sum32() | 1<<31
}

// SetTimer requests one OnTimer with Timer(name), also in the next version of the handler, after at
// most 49 days. It replaces the timer with this name if it has not fired.
func SetTimer(connection TimerSetter, name string, delay time.Duration) {
	connection.SetTimer(Timer(name), uint32(min(max(delay.Milliseconds(), 0), math.MaxUint32)))
}

// CancelTimer cancels the timer with this name, if it is set.
func CancelTimer(connection TimerCanceller, name string) {
	connection.CancelTimer(Timer(name))
}
