/*
 * Holds a process so that KILL does not end it for its parent: once this traces it, its parent learns of its end only
 * when this has let go. Argument: its pid. Says "held", and lets go when it is killed itself.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <unistd.h>

int main(int count, char **words)
{
    if (count != 2 || ptrace(PTRACE_SEIZE, atoi(words[1]), 0, 0) != 0) {
        perror("cannot trace");
        return 1;
    }
    puts("held");
    fflush(stdout);
    for (;;)
        pause();
}
