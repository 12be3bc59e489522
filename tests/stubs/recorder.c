/*
 * Stands in for a command of somebody's configuration, and writes down what becomes of it: a line at its start and one at
 * its end, appended to the file that RECORD names. Arguments: [agent] serve|task|fail|check TAG.
 *
 *     serve   waits for TERM
 *     task    ends at once with 0, fail with 1; neither is hurt by a TERM
 *     check   as task, with one line alone
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *tag;

static void note(const char *word)
{
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s\n", word, tag);
    int file = open(getenv("RECORD"), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    /* One short write: lines of many writers stay whole and in order. */
    if (file < 0 || length >= (int)sizeof line || write(file, line, length) != length) {
        perror("cannot write the record");
        exit(125);
    }
    close(file);
}

int main(int count, char **words)
{
    sigset_t term;
    int heard;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigprocmask(SIG_BLOCK, &term, NULL);
    if (count == 4 && strcmp(words[1], "agent") == 0)
        words++;
    else if (count != 3)
        return 124;
    tag = words[2];
    if (strcmp(words[1], "check") == 0) {
        note("check");
        return 0;
    }
    note("start");
    if (strcmp(words[1], "serve") == 0)
        sigwait(&term, &heard);
    note("end");
    return strcmp(words[1], "fail") == 0;
}
