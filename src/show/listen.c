/* The listening socket. When the table is full another connection goes (connection.c);
 * new ones wait in the kernel's queue only while all that are in have just come. */
#include "show/internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "show/filter.h"

/* Bounds what the kernel may hold for one client: without the bound a page that sleeps
 * would get minutes of old ticks before it gets the newest. */
enum {
    SEND_BUFFER = 256 * 1024,
    ACCEPTED_AT_ONCE = 64, /* so that a flood leaves time for those who are in */
};

/* Holds an address of either family without a cast that breaks the rules of aliasing. */
union address {
    struct sockaddr any;
    struct sockaddr_in four;
    struct sockaddr_in6 six;
};

/* Makes the address to listen on. "localhost" is the IPv4 one, since a browser tries
 * both. */
static socklen_t fill_address(union address *a, const struct show_config *config)
{
    memset(a, 0, sizeof *a);
    if (strcmp(config->address, "::1") == 0) {
        a->six.sin6_family = AF_INET6;
        a->six.sin6_addr = in6addr_loopback;
        a->six.sin6_port = htons((uint16_t)config->port);
        return sizeof a->six;
    }
    a->four.sin_family = AF_INET;
    a->four.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    a->four.sin_port = htons((uint16_t)config->port);
    return sizeof a->four;
}

/* Turns errno into words that say what to do. */
static enum vd_status open_failed(const struct show_config *config, const char *what,
                                  struct vd_error *err)
{
    int reason = errno;

    if (reason == EADDRINUSE)
        return vd_error_set(
            err, VD_ERR_BUSY, "choose another one with --port, or --port 0 for any",
            "port %d on %s is in use by another program", config->port, config->address);
    if (reason == EACCES)
        return vd_error_set(err, VD_ERR_IO, "choose a port above 1023 with --port",
                            "port %d needs more rights than this user has", config->port);
    return vd_error_set(err, VD_ERR_IO, NULL, "cannot %s %s port %d: %s", what,
                        config->address, config->port, strerror(reason));
}

/* Opens the socket and finds out its port, which the kernel chose when 0 was asked
 * for. */
static enum vd_status open_socket(struct show_server *server, struct vd_error *err)
{
    const struct show_config *config = &server->config;
    union address a;
    socklen_t size = fill_address(&a, config);
    int on = 1;

    server->listen_fd =
        socket(a.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0)
        return open_failed(config, "open", err);
    /* Without it the port of a program that just ended stays taken for a minute. */
    setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(server->listen_fd, &a.any, size) != 0)
        return open_failed(config, "bind to", err);
    if (listen(server->listen_fd, SOMAXCONN) != 0)
        return open_failed(config, "listen on", err);
    if (getsockname(server->listen_fd, &a.any, &size) != 0)
        return open_failed(config, "read the name of", err);
    server->port = ntohs(a.any.sa_family == AF_INET6 ? a.six.sin6_port : a.four.sin_port);
    return VD_OK;
}

/* Leaves new connections in the kernel's queue. */
static void stop_accepting(struct show_server *server)
{
    if (server->accepting)
        uv_poll_stop(&server->listener);
    server->accepting = false;
}

/* Stops accepting until the watch finds room. Polling a full queue would only burn CPU
 * time. */
static void wait_for_room(struct show_server *server)
{
    stop_accepting(server);
    show_watch_hurry(server);
}

/* Tells whether there is somebody to make room for. */
static bool somebody_waits(const struct show_server *server)
{
    struct pollfd now = {.fd = server->listen_fd, .events = POLLIN};

    return poll(&now, 1, 0) > 0;
}

/* Takes the connections that wait. When the table is full an old one is closed first;
 * when none may be closed, the new ones wait. */
static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct show_server *server = poll->data;
    int on = 1;
    int buffer = SEND_BUFFER;

    (void)status;
    (void)events;
    for (int i = 0; i < ACCEPTED_AT_ONCE && server->accepting; i++) {
        int fd;

        if (show_is_crowded(server)) {
            if (!somebody_waits(server))
                return;
            if (!show_session_evict(server)) {
                wait_for_room(server);
                return;
            }
        }
        fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            /* Without descriptors the queue would wake us for ever. */
            if ((errno == EMFILE || errno == ENFILE || errno == ENOMEM ||
                 errno == ENOBUFS) &&
                !show_session_evict(server))
                wait_for_room(server);
            return;
        }
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
        show_session_open(server, fd);
    }
}

/* Accepts again. It is called once a tick and by the watch, which costs nothing while
 * accepting goes on. */
void show_listen_resume(struct show_server *server)
{
    if (server->accepting || server->closing)
        return;
    server->accepting = uv_poll_start(&server->listener, UV_READABLE, on_connection) == 0;
}

enum vd_status show_listen(struct show_server *server, struct vd_error *err)
{
    enum vd_status status;

    status = show_address_check(server->config.address, err);
    if (status != VD_OK)
        return status;
    if (server->config.port < 0 || server->config.port > 65535)
        return vd_error_set(err, VD_ERR_ARGUMENT, "use 1 to 65535, or 0 for any",
                            "there is no port %d", server->config.port);
    status = open_socket(server, err);
    if (status == VD_OK &&
        uv_poll_init(server->loop, &server->listener, server->listen_fd) != 0)
        status = vd_error_set(err, VD_ERR_IO, NULL, "cannot watch the listening socket");
    if (status != VD_OK) {
        if (server->listen_fd >= 0)
            close(server->listen_fd);
        server->listen_fd = -1;
        return status;
    }
    server->n_handles++;
    server->listener.data = server;
    show_listen_resume(server);
    return VD_OK;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct show_server *server = handle->data;

    server->n_handles--;
    show_server_left(server);
}

/* Closes the socket at the end. The descriptor may be closed at once, since the poll has
 * been stopped. */
void show_listen_close(struct show_server *server)
{
    if (server->listen_fd < 0)
        return;
    stop_accepting(server);
    uv_close((uv_handle_t *)&server->listener, on_listener_closed);
    close(server->listen_fd);
    server->listen_fd = -1;
}
