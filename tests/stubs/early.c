/*
 * Becomes a program, and sends it TERM in the very moment in which it has installed its first handler for TERM: after
 * the system call, before its next instruction. Arguments: the program and its words. "cannot trace" if that is forbidden.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The child traces its parent, so that the program keeps the pid and the parent that were meant for it. */
static int watch(pid_t program, int ready)
{
    struct __ptrace_syscall_info call;
    int status, armed = 0;

    if (ptrace(PTRACE_SEIZE, program, 0, PTRACE_O_TRACESYSGOOD) || ptrace(PTRACE_INTERRUPT, program, 0, 0)) {
        perror("cannot trace");
        return 1;
    }
    if (write(ready, "", 1) != 1)
        return 1;
    while (waitpid(program, &status, __WALL) == program && WIFSTOPPED(status)) {
        if (WSTOPSIG(status) == (SIGTRAP | 0x80)
            && ptrace(PTRACE_GET_SYSCALL_INFO, program, sizeof call, &call) > 0) {
            if (call.op == PTRACE_SYSCALL_INFO_ENTRY)
                armed = call.entry.nr == SYS_rt_sigaction && call.entry.args[0] == SIGTERM && call.entry.args[1];
            else if (armed)
                return kill(program, SIGTERM) || ptrace(PTRACE_DETACH, program, 0, 0);
        }
        if (ptrace(PTRACE_SYSCALL, program, 0, 0))
            return 1;
    }
    return 1;
}

int main(int count, char **words)
{
    int ready[2];
    char byte;

    if (count < 2 || pipe(ready))
        return 1;
    pid_t child = fork();
    if (child == 0) {
        close(ready[0]);
        _exit(watch(getppid(), ready[1]));
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) != 1)
        return 1;
    close(ready[0]);
    execv(words[1], words + 1);
    perror("cannot execute");
    return 1;
}
