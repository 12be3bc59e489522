/*
 * A web server that does what the front of an application does. Arguments: its port, and a file with the places of what
 * is behind it, as "HOST:PORT HOST:PORT"; it is read at the start and at each SIGHUP.
 * "/app/" is passed on to the first of them, everything else is answered with 200.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static volatile sig_atomic_t reload = 1;
static char host[64];
static int port;

static void on_hup(int number)
{
    (void)number;
    reload = 1;
}

static void load(const char *path)
{
    FILE *file = fopen(path, "r");

    reload = 0;
    port = 0;
    if (!file)
        return;
    if (fscanf(file, "%63[0-9.]:%d", host, &port) != 2)
        port = 0;
    fclose(file);
}

static struct sockaddr_in address(const char *text, int number)
{
    struct sockaddr_in it = {.sin_family = AF_INET, .sin_port = htons(number)};

    inet_pton(AF_INET, text, &it.sin_addr);
    return it;
}

static void say(int client, const char *text)
{
    if (write(client, text, strlen(text)) < 0)
        perror("write");
}

static void pass_on(int client)
{
    struct sockaddr_in behind = address(host, port);
    int server = socket(AF_INET, SOCK_STREAM, 0);
    char bytes[4096];
    ssize_t count;

    if (!port || connect(server, (struct sockaddr *)&behind, sizeof behind)) {
        say(client, "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    } else {
        say(server, "GET / HTTP/1.0\r\n\r\n");
        while ((count = read(server, bytes, sizeof bytes)) > 0)
            if (write(client, bytes, count) != count)
                break;
    }
    close(server);
}

int main(int count, char **words)
{
    struct sigaction on = {.sa_handler = on_hup};
    struct sockaddr_in here;
    int yes = 1, listener = socket(AF_INET, SOCK_STREAM, 0);

    if (count != 3)
        return 2;
    sigaction(SIGHUP, &on, NULL);
    signal(SIGPIPE, SIG_IGN);
    here = address("127.0.0.1", atoi(words[1]));
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&here, sizeof here) || listen(listener, 16)) {
        perror("listen");
        return 1;
    }
    for (;;) {
        char request[4096] = "";
        int client;

        if (reload)
            load(words[2]);
        client = accept(listener, NULL, NULL);
        if (client < 0)
            continue;
        if (reload)
            load(words[2]);
        if (read(client, request, sizeof request - 1) > 0) {
            if (strncmp(request, "GET /app/", 9) == 0)
                pass_on(client);
            else
                say(client, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        }
        close(client);
    }
}
