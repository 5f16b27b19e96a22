/* HTTP/1.1 with one request per connection, as much of it as one POST takes. */
#include "cmd/local_api.h"

#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <jansson.h>

enum { TIMEOUT_S = 10, ANSWER_MAX = 1 << 20 };

/* "127.0.0.1:5000", "[::1]:5000" -> host and port. */
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

static int connect_to(const char *address, struct vd_error *err)
{
    static const struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                                         .ai_flags = AI_NUMERICSERV};
    static const struct timeval patience = {.tv_sec = TIMEOUT_S};
    struct addrinfo *found = NULL;
    const char *port;
    char host[80];
    int fd = -1;

    if (!split_address(address, host, sizeof host, &port) ||
        getaddrinfo(host, port, &want, &found) != 0) {
        vd_error_set(err, VD_ERR_FORMAT, NULL, "'%s' is no address of a monitor",
                     address);
        return -1;
    }
    for (const struct addrinfo *a = found; a != NULL && fd < 0; a = a->ai_next) {
        fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
        if (fd < 0)
            continue;
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
        if (connect(fd, a->ai_addr, a->ai_addrlen) != 0) {
            close(fd);
            fd = -1;
        }
    }
    freeaddrinfo(found);
    if (fd < 0)
        vd_error_set(err, VD_ERR_UNAVAILABLE, "try again; it may be starting or stopping",
                     "the monitor at %s does not answer: %s", address, strerror(errno));
    return fd;
}

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

/* All that comes until the other side hangs up, terminated; NULL when it does not come to
 * an end in time, or there is no memory. */
static char *receive_all(int fd)
{
    char *answer = malloc(ANSWER_MAX + 1);
    size_t size = 0;
    ssize_t n = -1;

    while (answer != NULL && size < ANSWER_MAX) {
        n = recv(fd, answer + size, ANSWER_MAX - size, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        size += (size_t)n;
    }
    if (answer == NULL || n != 0) {
        free(answer);
        return NULL;
    }
    answer[size] = '\0';
    return answer;
}

/* "HTTP/1.1 404 Not Found\r\n...\r\n\r\n{"error": {"message": "...", "hint": "..."}}" */
static enum vd_status read_answer(const char *answer, struct vd_error *err)
{
    const char *body = strstr(answer, "\r\n\r\n");
    const char *message, *hint = NULL;
    enum vd_status status;
    json_t *root;
    int code = 0;

    if (body == NULL || sscanf(answer, "HTTP/1.1 %d", &code) != 1)
        return vd_error_set(err, VD_ERR_FORMAT, NULL,
                            "what answers at the monitor's address is no vedette");
    if (code == 200)
        return VD_OK;
    root = json_loads(body + 4, 0, NULL);
    message =
        json_string_value(json_object_get(json_object_get(root, "error"), "message"));
    hint = json_string_value(json_object_get(json_object_get(root, "error"), "hint"));
    status = code == 404   ? VD_ERR_DATA
             : code == 400 ? VD_ERR_ARGUMENT
                           : VD_ERR_UNAVAILABLE;
    vd_error_set(err, status, hint, "the monitor refuses: %s",
                 message != NULL ? message : "it does not say why");
    json_decref(root);
    return status;
}

enum vd_status cmd_local_api_post(const char *address, const char *path, const char *body,
                                  struct vd_error *err)
{
    enum vd_status status = VD_ERR_IO;
    char *answer = NULL;
    char request[1024];
    int fd = connect_to(address, err);
    int length;

    if (fd < 0)
        return VD_ERR_UNAVAILABLE;
    length = snprintf(request, sizeof request,
                      "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                      "Content-Length: %zu\r\nConnection: close\r\n\r\n%s",
                      path, address, strlen(body), body);
    if (length < (int)sizeof request && send_all(fd, request, (size_t)length))
        answer = receive_all(fd);
    if (answer != NULL)
        status = read_answer(answer, err);
    else
        vd_error_set(err, status, "try again", "the monitor at %s gave no answer",
                     address);
    free(answer);
    close(fd);
    return status;
}
