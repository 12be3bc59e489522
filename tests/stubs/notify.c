/* Sends each argument as a datagram to the socket that NOTIFY_SOCKET names, then waits for a signal. */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
    const char *name = getenv("NOTIFY_SOCKET");
    if (!name || name[0] != '@')
        return 3;
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path + 1, name + 1, strlen(name + 1));
    socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(name);
    int s = socket(AF_UNIX, SOCK_DGRAM, 0);
    for (int i = 1; i < argc; i++)
        if (sendto(s, argv[i], strlen(argv[i]), 0, (struct sockaddr *)&to, length) < 0)
            return 4;
    pause();
    return 0;
}
