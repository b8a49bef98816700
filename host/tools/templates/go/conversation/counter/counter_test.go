package counter

import "testing"

// recording is what the host has in its place.
type recording struct {
	sent   string
	closed bool
}

func (r *recording) Send(bytes []byte) { r.sent += string(bytes) }
func (r *recording) Close()            { r.closed = true }

func TestLinesAreCounted(t *testing.T) {
	connection := &recording{}
	counter := Begin(connection)
	for _, line := range []string{"one", "two", "quit"} {
		counter.Line([]byte(line))
	}
	if expected := "hello\n1 one\n2 two\ngoodbye after 2 lines\n"; connection.sent != expected {
		t.Errorf("sent %q", connection.sent)
	}
	if !connection.closed {
		t.Error("it is not closed")
	}
}

func TestTheNextVersionGoesOnCounting(t *testing.T) {
	counter := Begin(&recording{})
	counter.Line([]byte("one"))
	connection := &recording{}
	next, err := Resume(connection, counter.Saved())
	if err != nil {
		t.Fatal(err)
	}
	next.Line([]byte("two"))
	if connection.sent != "2 two\n" {
		t.Errorf("sent %q", connection.sent)
	}
	if _, err := Resume(connection, []byte("another's")); err == nil {
		t.Error("it takes what another has saved")
	}
}
