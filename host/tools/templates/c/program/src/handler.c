// Numbers the lines of its input: a plain program, whose input and output are the connection.

#include <stdio.h>

int main(void) {
    unsigned long long number = 0;
    int previous = '\n', byte;
    while ((byte = getchar()) != EOF) {
        if (previous == '\n') {
            printf("%llu ", ++number);
        }
        putchar(byte);
        if (byte == '\n') {
            // Whoever sent the line waits for this.
            fflush(stdout);
        }
        previous = byte;
    }
    if (previous != '\n') {
        putchar('\n');
    }
    return ferror(stdin) || fflush(stdout) != 0;
}
