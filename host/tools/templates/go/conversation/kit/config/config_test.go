package config

import "testing"

func TestSettingsAreThoseOfTheTest(t *testing.T) {
	if value, ok := Get("greeting"); ok {
		t.Errorf("%q", value)
	}
	Values["greeting"] = "hello"
	defer clear(Values)
	if value, ok := Get("greeting"); value != "hello" || !ok {
		t.Errorf("%q, %v", value, ok)
	}
}
