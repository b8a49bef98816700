package outgoing

import (
	"bufio"
	"bytes"
	"fmt"
	"testing"
)

func TestTheTestStandsInForAServer(t *testing.T) {
	Servers["[::1]:7000"] = bytes.ToUpper
	defer clear(Servers)
	stream, err := Connect("[::1]:7000")
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	fmt.Fprint(stream, "hel")
	fmt.Fprintln(stream, "lo")
	if answer, err := bufio.NewReader(stream).ReadString('\n'); answer != "HELLO\n" {
		t.Errorf("%q, %v", answer, err)
	}
	if _, err := Connect("[::1]:7001"); err == nil || err.Error() != "cannot connect to [::1]:7001: connection refused" {
		t.Errorf("%v", err)
	}
}

func TestAServerHasAHostAndAPort(t *testing.T) {
	if host, port, ok := parse("db.internal:5432"); host != "db.internal" || port != 5432 || !ok {
		t.Errorf("%q, %d, %v", host, port, ok)
	}
	for _, bad := range []string{"", "db", "db:", ":80", "[]:80", "db:x", "db:65536", "::1:80", "[::1:80"} {
		if _, _, ok := parse(bad); ok {
			t.Errorf("%q is one", bad)
		}
	}
}
