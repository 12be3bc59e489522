/*
 * The far end of every measurement: what starts a supervisor as PID 1, and the jobs that it runs.
 *
 * Times are CLOCK_MONOTONIC in nanoseconds, the same clock for all processes of the machine. Each is appended to a
 * file as one record of 8 bytes, in one write, so that a thousand jobs can share a file.
 *
 * As the interpreter of a script, `#!stub MODE WORDS…`, it gets all words as one argument and splits them itself; so a
 * peer that wants a script needs no shell, which would cost more than the peer.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_WORDS = 16, MAX_PATH = 512 };

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
    perror(what);
    _exit(111);
}

/* Opens PATH, or PATH.SUFFIX, for records. */
static int records(const char *path, const char *suffix)
{
    char full[MAX_PATH];
    snprintf(full, sizeof full, "%s%s%s", path, suffix ? "." : "", suffix ? suffix : "");
    int fd = open(full, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        die(full);
    return fd;
}

static void put(int fd, uint64_t value)
{
    if (write(fd, &value, sizeof value) != sizeof value)
        die("write");
}

static void rest(void)
{
    for (;;)
        pause();
}

/* launch DIR COMMAND…: the command as PID 1 of its own namespace; DIR/exec, DIR/end: times; DIR/pid: its id outside. */
static int launch(int argc, char **argv)
{
    char path[MAX_PATH];
    if (argc < 4 || chdir(argv[2]) != 0)
        die("launch");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int at_exec = records("exec", NULL), at_end = records("end", NULL);
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        die("unshare");
    pid_t child = fork();
    if (child < 0)
        die("fork");
    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 || mount("proc", "/proc", "proc", 0, NULL) != 0)
            die("mount");
        /* Whatever a supervisor clears away at its end, it shall not be the machine's devices. */
        mount("/dev", "/dev", NULL, MS_BIND | MS_REC, NULL);
        mount(NULL, "/dev", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL);
        put(at_exec, now());
        execv(argv[3], argv + 3);
        die(argv[3]);
    }
    snprintf(path, sizeof path, "%d\n", child);
    int fd = open("pid.new", O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0 || write(fd, path, strlen(path)) < 0 || close(fd) != 0 || rename("pid.new", "pid") != 0)
        die("pid");
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    put(at_end, now());
    return 0;
}

static int term_fd;

static void on_term(int signal)
{
    (void)signal;
    put(term_fd, now());
    _exit(0);
}

/* hold FILE: is there until TERM; FILE: the first instruction, FILE.term: the TERM. */
static int hold(const char *file, uint64_t first)
{
    term_fd = records(file, "term");
    signal(SIGTERM, on_term);
    put(records(file, NULL), first);
    rest();
    return 0;
}

/* mark FILE: says that it was started. */
static int mark(const char *file, uint64_t first)
{
    put(records(file, NULL), first);
    return 0;
}

/* crash FILE MS [FD]: says that it was started, and on FD that it is ready; fails after MS. FILE.end: that moment. */
static int crash(const char *file, uint64_t first, long ms, int ready)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000};
    int at_end = records(file, "end");
    put(records(file, NULL), first);
    if (ready >= 0 && (write(ready, "\n", 1) != 1 || close(ready) != 0))
        die("ready");
    if (ms > 0)
        nanosleep(&t, NULL);
    put(at_end, now());
    return 1;
}

/* lines FILE COUNT: COUNT lines of 100 bytes to standard output; FILE: the first write. Then it rests. */
static int lines(const char *file, long count)
{
    enum { LINE = 100, LINES = 600 };
    static char block[LINE * LINES];
    for (int i = 0; i < LINES; i++) {
        memset(block + i * LINE, 'a' + i % 26, LINE - 1);
        block[i * LINE + LINE - 1] = '\n';
    }
    put(records(file, NULL), now());
    while (count > 0) {
        size_t want = (size_t)(count < LINES ? count : LINES) * LINE, done = 0;
        while (done < want) {
            ssize_t n = write(1, block + done, want - done);
            if (n <= 0)
                die("lines");
            done += (size_t)n;
        }
        count -= LINES;
    }
    rest();
    return 0;
}

/* Counts the processes in /proc, and the zombies if asked. */
static int processes(int *zombies)
{
    char path[64], stat[256];
    int count = 0, dead = 0;
    DIR *dir = opendir("/proc");
    for (struct dirent *e; dir && (e = readdir(dir));) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        count++;
        if (!zombies)
            continue;
        snprintf(path, sizeof path, "/proc/%.16s/stat", e->d_name);
        int fd = open(path, O_RDONLY);
        ssize_t n = fd < 0 ? 0 : read(fd, stat, sizeof stat - 1);
        if (fd >= 0)
            close(fd);
        stat[n > 0 ? n : 0] = 0;
        char *end = strrchr(stat, ')');
        dead += end && end[1] && end[2] == 'Z';
    }
    if (dir)
        closedir(dir);
    if (zombies)
        *zombies = dead;
    return count;
}

/*
 * orphans FILE COUNT MS: COUNT processes whose parent is gone and that end at once. FILE: four records: the first
 * fork, the last one, the moment that all were reaped (0: not within MS), the most zombies seen, one look every 2 ms.
 */
static int orphans(const char *file, long count, long ms)
{
    volatile int *most = mmap(NULL, sizeof *most, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (most == MAP_FAILED)
        die("mmap");
    pid_t sampler = fork();
    if (sampler == 0) {
        struct timespec pause = {0, 2000000};
        for (int dead;; nanosleep(&pause, NULL)) {
            processes(&dead);
            if (dead > *most)
                *most = dead;
        }
    }
    struct timespec settle = {0, 100000000};
    nanosleep(&settle, NULL);
    int before = processes(NULL);
    uint64_t first = now(), last = first;
    for (long i = 0; i < count; i++) {
        pid_t middle = fork();
        if (middle < 0)
            die("fork");
        if (middle == 0) {
            if (fork() < 0)
                die("fork");
            _exit(0);
        }
        /* The last orphan is made before its parent ends. */
        waitpid(middle, NULL, 0);
        last = now();
    }
    uint64_t reaped = 0;
    while (now() < last + (uint64_t)ms * 1000000u)
        if (processes(NULL) <= before) {
            reaped = now();
            break;
        }
    int left = 0;
    if (!reaped)
        processes(&left);
    kill(sampler, SIGKILL);
    waitpid(sampler, NULL, 0);
    uint64_t result[4] = {first, last, reaped, (uint64_t)(reaped ? *most : left)};
    if (write(records(file, NULL), result, sizeof result) != sizeof result)
        die("result");
    rest();
    return 0;
}

int main(int argc, char **argv)
{
    uint64_t first = now();
    char *words[MAX_WORDS] = {argv[0]};
    if (argc >= 2 && strchr(argv[1], ' ')) {
        int count = 1;
        for (char *word = strtok(argv[1], " "); word && count < MAX_WORDS - 1; word = strtok(NULL, " "))
            words[count++] = word;
        argc = count;
        argv = words;
    }
    const char *mode = argc > 1 ? argv[1] : "";
    if (!strcmp(mode, "launch"))
        return launch(argc, argv);
    if (!strcmp(mode, "ok"))
        return 0;
    if (!strcmp(mode, "hold") && argc == 3)
        return hold(argv[2], first);
    if (!strcmp(mode, "mark") && argc == 3)
        return mark(argv[2], first);
    if (!strcmp(mode, "crash") && argc >= 4)
        return crash(argv[2], first, atol(argv[3]), argc > 4 ? atoi(argv[4]) : -1);
    if (!strcmp(mode, "lines") && argc == 4)
        return lines(argv[2], atol(argv[3]));
    if (!strcmp(mode, "orphans") && argc == 5)
        return orphans(argv[2], atol(argv[3]), atol(argv[4]));
    fprintf(stderr, "stub: what is `%s`?\n", mode);
    return 2;
}
