package export_wit_world

import "testing"

func TestAnyBytesComeBackUnchanged(t *testing.T) {
	for _, message := range []string{"", "hello\r\n", "\x00\xff\x80"} {
		if reply := string(Respond([]byte(message))); reply != message {
			t.Errorf("%q became %q", message, reply)
		}
	}
}
