// Package export_echo_host_handler_manifest says what the handler is. It is named after the contract's interface.
package export_echo_host_handler_manifest

import (
	. "wit_component/echo_host_handler_manifest"
	"wit_component/echo_host_handler_types"
)

// Describe says that the handler's messages are lines.
func Describe() About {
	return About{
		Name:            "{{name}}",
		Version:         "0.1.0",
		Framing:         echo_host_handler_types.MakeFramingLines(),
		MaxMessageBytes: 65536,
	}
}
