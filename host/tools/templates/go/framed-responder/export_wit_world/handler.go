// Package export_wit_world answers each line with the line reversed. It is named after what the contract exports.
package export_wit_world

import (
	"slices"

	"wit_component/memory"
)

// Respond computes the reply to one line, which comes without its ending.
func Respond(line []byte) []byte {
	memory.Collect(len(line))
	characters := []rune(string(line))
	slices.Reverse(characters)
	return append([]byte(string(characters)), '\n')
}
