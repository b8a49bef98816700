// Package export_wit_world answers each message with the message itself. It is named after what the contract exports.
package export_wit_world

import "wit_component/memory"

// Respond computes the reply to one message, which is whatever one read returned.
func Respond(message []byte) []byte {
	memory.Collect(len(message))
	return message
}
