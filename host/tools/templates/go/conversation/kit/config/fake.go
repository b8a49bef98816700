//go:build !wasip1

package config

// Values are the settings of a unit test.
var Values = map[string]string{}

func get(name string) (string, bool) {
	value, ok := Values[name]
	return value, ok
}
