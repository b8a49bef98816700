// A plain program that numbers the lines of its input: its input and output are the connection.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := number(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// number reads to the end. Each line is written at once: whoever sent it waits for it.
func number(input io.Reader, output io.Writer) error {
	lines := bufio.NewScanner(input)
	for count := 1; lines.Scan(); count++ {
		if _, err := fmt.Fprintf(output, "%d %s\n", count, lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}
