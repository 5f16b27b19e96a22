/* A client for HTTP/1.1: one request per connection, read until the other side hangs up.
 * It follows no redirections and takes no answer in chunks, which it says. */
#include "net/http.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* TIMEOUT_S holds for connecting and for each piece; ANSWER_MAX keeps a server that never
 * ends from taking all memory. */
enum { TIMEOUT_S = 10, ANSWER_MAX = 64 << 20 };

/* Splits "127.0.0.1:5000" or "[::1]:5000" into host and port, at the last colon; false
 * when a part is missing. `*port` points into the address. */
static bool split_address(const char *address, char *host, size_t size, const char **port)
{
    const char *colon = strrchr(address, ':');
    size_t length;

    if (colon == NULL || colon[1] == '\0')
        return false;
    *port = colon + 1;
    length = (size_t)(colon - address);
    if (length >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        length -= 2;
    }
    return length > 0 && snprintf(host, size, "%.*s", (int)length, address) < (int)size;
}

/* Connects to the first of the addresses that answers; -1, with errno of the last, when
 * none does. The time limit for sending holds for connect(2) as well. */
static int connect_first(const struct addrinfo *found)
{
    static const struct timeval patience = {.tv_sec = TIMEOUT_S};

    for (const struct addrinfo *a = found; a != NULL; a = a->ai_next) {
        int fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);

        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) == 0)
            return fd;
        close(fd);
    }
    return -1;
}

/* Returns a connected socket, -1 when there is none. Ports are numbers only, so that no
 * file of services is asked. */
static int connect_to(const struct net_http_request *request, struct vd_error *err)
{
    static const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                         .ai_flags = AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *port;
    char host[80];
    int fd;

    if (!split_address(request->address, host, sizeof host, &port) ||
        getaddrinfo(host, port, &want, &found) != 0) {
        vd_error_set(err, VD_ERR_FORMAT, NULL, "'%s' is no address of %s",
                     request->address, request->server);
        return -1;
    }
    fd = connect_first(found);
    freeaddrinfo(found);
    if (fd < 0)
        vd_error_set(err, VD_ERR_UNAVAILABLE, "try again; it may be starting or stopping",
                     "%s at %s does not answer: %s", request->server, request->address,
                     strerror(errno));
    return fd;
}

/* Sends all bytes; false when the other side is gone, which must not end us
 * (MSG_NOSIGNAL). */
static bool send_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t n = send(fd, text, size, MSG_NOSIGNAL);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        text += n;
        size -= (size_t)n;
    }
    return true;
}

/* Receives all that comes until the other side hangs up, terminated; the caller frees it.
 * NULL when it does not come to an end in time, is too long, or there is no memory. */
static char *receive_all(int fd)
{
    size_t size = 0, capacity = 64 * 1024;
    char *answer = malloc(capacity);
    ssize_t n = -1;

    while (answer != NULL) {
        n = recv(fd, answer + size, capacity - size - 1, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size += (size_t)n;
        if (size + 1 == capacity) {
            char *larger = capacity < ANSWER_MAX ? realloc(answer, 2 * capacity) : NULL;

            if (larger == NULL)
                break;
            answer = larger;
            capacity *= 2;
        }
    }
    if (answer == NULL || n != 0) {
        free(answer);
        return NULL;
    }
    answer[size] = '\0';
    return answer;
}

/* Cuts an answer into head and body: "HTTP/1.1 404 Not Found\r\nContent-Type:
 * text/plain\r\n\r\nno such thing". False when it is no HTTP, or comes in chunks. */
static bool parse_answer(struct net_http_answer *answer)
{
    char *end = strstr(answer->text, "\r\n\r\n");

    if (end == NULL || sscanf(answer->text, "HTTP/1.1 %d", &answer->code) != 1)
        return false;
    /* The head ends behind its last line end, so the search below stays out of the body.
     */
    end[2] = '\0';
    answer->body = end + 4;
    return strcasestr(answer->text, "\r\nTransfer-Encoding:") == NULL;
}

/* Asks for the connection to be closed behind the answer: that is how its end is known.
 */
static bool send_request(int fd, const struct net_http_request *request)
{
    const char *body = request->body == NULL ? "" : request->body;
    char head[1024];
    int length = snprintf(head, sizeof head,
                          "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s%s"
                          "Content-Length: %zu\r\nConnection: close\r\n\r\n",
                          request->method, request->path, request->address,
                          request->type == NULL ? "" : "Content-Type: ",
                          request->type == NULL ? "" : request->type,
                          request->type == NULL ? "" : "\r\n", strlen(body));

    return length < (int)sizeof head && send_all(fd, head, (size_t)length) &&
           send_all(fd, body, strlen(body));
}

enum vd_status net_http_ask(struct net_http_answer *answer,
                            const struct net_http_request *request, struct vd_error *err)
{
    enum vd_status status = VD_OK;
    int fd;

    *answer = (struct net_http_answer){0};
    fd = connect_to(request, err);
    if (fd < 0)
        return VD_ERR_UNAVAILABLE;
    if (send_request(fd, request))
        answer->text = receive_all(fd);
    close(fd);
    if (answer->text == NULL)
        status = vd_error_set(err, VD_ERR_IO, "try again", "%s at %s gave no answer",
                              request->server, request->address);
    else if (!parse_answer(answer))
        status = vd_error_set(err, VD_ERR_FORMAT, NULL,
                              "what answers at the address %s is not %s",
                              request->address, request->server);
    if (status != VD_OK)
        net_http_answer_release(answer);
    return status;
}

void net_http_answer_release(struct net_http_answer *answer)
{
    free(answer->text);
    *answer = (struct net_http_answer){0};
}
