// Package export_echo_host_handler_manifest declares the manifest.
// It is named after the contract's interface.
package export_echo_host_handler_manifest

import . "wit_component/echo_host_handler_manifest"

// Describe declares that messages are lines.
func Describe() About {
	return About{
		Name:            "{{name}}",
		Version:         "0.1.0",
		Framing:         "lines",
		MaxMessageBytes: 65536,
	}
}
