/* A web server that costs next to nothing: reads whole requests, answers each with 200 at once.

   sink PORT: one thread, epoll, keep-alive, no parsing beyond Content-Length. So that a generator's
   own cost is measured, and not a server's. Ends with its parent. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CONNECTIONS = 4096, HEAD = 4096, BLOCK = 1 << 16 };

static const char ANSWER[] = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
                             "content-length: 2\r\n\r\n{}";

struct connection {
    size_t head;      /* bytes of the request's head kept so far */
    long body;        /* bytes of its body still to come; -1 while the head is read */
    char text[HEAD];
};

static struct connection *connections[CONNECTIONS];

/* Takes what was read; returns how many requests it completed, or -1 for one that is not HTTP. */
static int take(struct connection *c, const char *bytes, size_t count)
{
    int whole = 0;
    while (count > 0) {
        if (c->body < 0) {
            if (c->head >= HEAD - 1)
                return -1;
            c->text[c->head++] = *bytes++;
            count--;
            if (c->head < 4 || memcmp(c->text + c->head - 4, "\r\n\r\n", 4) != 0)
                continue;
            c->text[c->head] = 0;
            const char *length = strcasestr(c->text, "content-length:");
            c->body = length ? atol(length + 15) : 0;
            c->head = 0;
        } else {
            size_t part = (size_t)c->body < count ? (size_t)c->body : count;
            c->body -= (long)part;
            bytes += part;
            count -= part;
        }
        if (c->body == 0) {
            whole++;
            c->body = -1;
        }
    }
    return whole;
}

static int serve(int fd)
{
    static char block[BLOCK];
    ssize_t count = read(fd, block, sizeof block);
    if (count <= 0)
        return count < 0 && errno == EAGAIN;
    int whole = take(connections[fd], block, (size_t)count);
    for (int i = 0; i < whole; i++)
        if (write(fd, ANSWER, sizeof ANSWER - 1) < 0)
            return 0;
    return whole >= 0;
}

static void welcome(int listener, int poll)
{
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK), yes = 1;
    if (fd < 0 || fd >= CONNECTIONS) {
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (!connections[fd])
        connections[fd] = malloc(sizeof *connections[fd]);
    connections[fd]->head = 0;
    connections[fd]->body = -1;
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &event);
}

int main(int count, char **words)
{
    if (count != 2)
        return 2;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    signal(SIGPIPE, SIG_IGN);
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(atoi(words[1]))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address) || listen(listener, 1024)) {
        perror("sink");
        return 1;
    }
    int poll = epoll_create1(0);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = listener}, ready[256];
    epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event);
    for (;;) {
        int found = epoll_wait(poll, ready, 256, -1);
        for (int i = 0; i < found; i++) {
            int fd = ready[i].data.fd;
            if (fd == listener)
                welcome(listener, poll);
            else if (!serve(fd))
                close(fd);
        }
    }
}
