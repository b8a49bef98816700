package counter

import (
	"testing"

	"wit_component/kit/kittest"
)

func TestLinesAreCounted(t *testing.T) {
	connection := &kittest.Connection{}
	counter := Begin(connection)
	for _, line := range []string{"one", "two", "quit"} {
		if err := counter.Line([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if sent := connection.Received(); sent != "hello\n1 one\n2 two\ngoodbye after 2 lines\n" {
		t.Errorf("sent %q", sent)
	}
	if !connection.Closed {
		t.Error("it is not closed")
	}
}

func TestTheNextVersionGoesOnCounting(t *testing.T) {
	counter := Begin(&kittest.Connection{})
	counter.Line([]byte("one"))
	connection := &kittest.Connection{}
	next, err := Resume(connection, counter.Saved())
	if err != nil {
		t.Fatal(err)
	}
	next.Line([]byte("two"))
	if sent := connection.Received(); sent != "2 two\n" {
		t.Errorf("sent %q", sent)
	}
	if _, err := Resume(connection, []byte("another's")); err == nil {
		t.Error("it accepts the state of another handler")
	}
}

func TestALineThatIsNotTextEndsTheSession(t *testing.T) {
	counter := Begin(&kittest.Connection{})
	if err := counter.Line([]byte{0xff}); err == nil {
		t.Error("it is text")
	}
}
