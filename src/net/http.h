/* A client for HTTP/1.1 without encryption: one request, one answer. */
#ifndef VD_NET_HTTP_H
#define VD_NET_HTTP_H

#include "vedette/status.h"

struct net_http_request {
    const char *server;  /* who is asked, for messages: "the monitor" */
    const char *address; /* "127.0.0.1:5000", "[::1]:5000", "metrics.example:9090" */
    const char *method;  /* "GET", "POST" */
    const char *path;    /* "/api/v1/status", escaped by the caller */
    const char *type;    /* Content-Type of the body; NULL = there is none */
    const char *body;    /* NULL = there is none */
};

struct net_http_answer {
    int code;         /* 200, 404 */
    char *text;       /* owned: the lines of the head */
    const char *body; /* points behind them; terminated */
};

/* Sends the request and waits for the whole answer, each time ten seconds at most and 64
 * MiB at most. The caller releases *answer, which is empty after a failure.
 * VD_ERR_UNAVAILABLE when nothing answers there, VD_ERR_IO when the answer does not come
 * to its end, VD_ERR_FORMAT when it is not one that this client understands. */
enum vd_status net_http_ask(struct net_http_answer *answer,
                            const struct net_http_request *request, struct vd_error *err);

void net_http_answer_release(struct net_http_answer *answer);

#endif
