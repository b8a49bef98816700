// Package config has the operator's settings for the handler (wasi:config).
package config

// Get is the value that the operator gave with --config-value NAME=VALUE, and whether there is one.
// A unit test sets it in Values.
func Get(name string) (string, bool) { return get(name) }
