package kit_test

import (
	"errors"
	"math"
	"testing"
	"time"

	"wit_component/kit"
	"wit_component/kit/kittest"
)

func TestALineEnds(t *testing.T) {
	connection := &kittest.Connection{}
	kit.SendLine(connection, "naïve €5")
	kit.Printf(connection, "%d of %s\n", 2, "many")
	if sent := connection.Received(); sent != "naïve €5\n2 of many\n" {
		t.Errorf("sent %q", sent)
	}
}

func TestOnlyUtf8IsText(t *testing.T) {
	if text, err := kit.Text([]byte("naïve €5")); text != "naïve €5" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	var failure *kit.Failure
	if _, err := kit.Text([]byte("caf\xe9")); !errors.As(err, &failure) || failure.Kind != "protocol" {
		t.Errorf("%v", err)
	}
}

func TestTheNumberOfATimersNameIsTheSameInAllLanguages(t *testing.T) {
	for name, number := range map[string]uint32{"reminder": 0xb994c98f, "": 0x811c9dc5, "a": 0xe40c292c} {
		if kit.Timer(name) != number {
			t.Errorf("%q is %x", name, kit.Timer(name))
		}
	}
}

func TestATimerIsSetAndCancelledByName(t *testing.T) {
	connection := &kittest.Connection{}
	kit.SetTimer(connection, "reminder", 1500*time.Millisecond)
	if delay, ok := connection.Timer("reminder"); delay != 1500*time.Millisecond || !ok {
		t.Errorf("%v, %v", delay, ok)
	}
	kit.SetTimer(connection, "reminder", 100*24*time.Hour)
	if delay, _ := connection.Timer("reminder"); delay != math.MaxUint32*time.Millisecond {
		t.Errorf("%v", delay)
	}
	kit.CancelTimer(connection, "reminder")
	if _, ok := connection.Timer("reminder"); ok {
		t.Error("it is set")
	}
}
