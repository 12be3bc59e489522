/* Makes a program see 128 processors, by whatever way it asks the C library. To be preloaded. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

enum { COUNT = 128 };

long sysconf(int name)
{
    static long (*real)(int);

    if (name == _SC_NPROCESSORS_ONLN || name == _SC_NPROCESSORS_CONF)
        return COUNT;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "sysconf");
    return real(name);
}

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    memset(set, 0, size);
    for (size_t number = 0; number < COUNT && number < 8 * size; number++)
        CPU_SET_S(number, size, set);
    return 0;
}
