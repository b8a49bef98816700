package config

import "wit_component/wasi_config_store"

func get(name string) (string, bool) {
	// The host has the values in its memory: it can always read them.
	value := wasi_config_store.Get(name).Ok()
	return value.SomeOr(""), value.IsSome()
}
