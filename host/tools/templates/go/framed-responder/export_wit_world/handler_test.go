package export_wit_world

import "testing"

func TestAReplyIsTheLineReversedAndEnded(t *testing.T) {
	for line, expected := range map[string]string{
		"hello":    "olleh\n",
		"":         "\n",
		"naïve €5": "5€ evïan\n",
	} {
		if reply := string(Respond([]byte(line))); reply != expected {
			t.Errorf("%q became %q", line, reply)
		}
	}
}
