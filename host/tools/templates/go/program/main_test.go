package main

import (
	"strings"
	"testing"
)

func TestLinesAreNumbered(t *testing.T) {
	var output strings.Builder
	if err := number(strings.NewReader("one\ntwo"), &output); err != nil {
		t.Fatal(err)
	}
	if output.String() != "1 one\n2 two\n" {
		t.Errorf("%q", output.String())
	}
}
