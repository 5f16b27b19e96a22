/* The HTTP client against a server of one answer on loopback: what it sends, which
 * answers it takes, which it refuses, and what it says when nobody listens. */
#include "unit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/http.h"

/* Takes one connection, keeps what it is asked, gives `answer` and hangs up. */
struct server {
    const char *answer;
    char asked[2048];
    char address[32];
    int fd;
    pthread_t thread;
};

static void *serve(void *data)
{
    struct server *s = data;
    int fd = accept(s->fd, NULL, NULL);
    size_t used = 0;
    ssize_t n;

    /* All requests of this test end in a brace, or in the empty line without a body. */
    while (used < sizeof s->asked - 1 &&
           (n = recv(fd, s->asked + used, sizeof s->asked - 1 - used, 0)) > 0) {
        used += (size_t)n;
        if (s->asked[used - 1] == '}' || strstr(s->asked, "Length: 0\r\n") != NULL)
            break;
    }
    for (const char *at = s->answer; *at != '\0'; at += n)
        if ((n = send(fd, at, strlen(at), MSG_NOSIGNAL)) <= 0)
            break;
    close(fd);
    return NULL;
}

static void listen_on_loopback(struct server *s)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;

    s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(s->fd >= 0);
    assert_int_equal(bind(s->fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)&at, &size), 0);
    snprintf(s->address, sizeof s->address, "127.0.0.1:%d", ntohs(at.sin_port));
}

static enum vd_status ask(struct server *s, const char *text,
                          const struct net_http_request *request,
                          struct net_http_answer *answer, struct vd_error *err)
{
    struct net_http_request own = *request;
    enum vd_status status;

    *s = (struct server){.answer = text};
    listen_on_loopback(s);
    assert_int_equal(listen(s->fd, 1), 0);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
    own.address = s->address;
    status = net_http_ask(answer, &own, err);
    pthread_join(s->thread, NULL);
    close(s->fd);
    return status;
}

static const struct net_http_request get = {
    .server = "the test's server", .method = "GET", .path = "/api/v1/status"};
static const struct net_http_request post = {.server = "the test's server",
                                             .method = "POST",
                                             .path = "/say?loud=1",
                                             .type = "application/json",
                                             .body = "{\"a\": 1}"};

static void test_takes_an_answer(void **state)
{
    struct net_http_answer answer;
    struct server s;

    (void)state;
    assert_int_equal(ask(&s,
                         "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\nline 1\r\n"
                         "\r\nline 3",
                         &get, &answer, NULL),
                     VD_OK);
    assert_int_equal(answer.code, 200);
    assert_string_equal(answer.body, "line 1\r\n\r\nline 3");
    assert_non_null(strstr(s.asked, "GET /api/v1/status HTTP/1.1\r\n"));
    assert_non_null(strstr(s.asked, s.address));
    assert_null(strstr(s.asked, "Content-Type"));
    net_http_answer_release(&answer);
    assert_null(answer.text);
    assert_int_equal(ask(&s, "HTTP/1.1 404 Not Found\r\n\r\n", &get, &answer, NULL),
                     VD_OK);
    assert_int_equal(answer.code, 404);
    assert_string_equal(answer.body, "");
    net_http_answer_release(&answer);
}

static void test_sends_a_body(void **state)
{
    struct net_http_answer answer;
    struct server s;

    (void)state;
    assert_int_equal(ask(&s, "HTTP/1.1 200 OK\r\n\r\n{}", &post, &answer, NULL), VD_OK);
    assert_non_null(strstr(s.asked, "POST /say?loud=1 HTTP/1.1\r\n"));
    assert_non_null(strstr(s.asked, "Content-Type: application/json\r\n"));
    assert_non_null(strstr(s.asked, "Content-Length: 8\r\n"));
    assert_non_null(strstr(s.asked, "\r\n\r\n{\"a\": 1}"));
    net_http_answer_release(&answer);
}

static void test_refuses_what_it_does_not_understand(void **state)
{
    static const char *const text[] = {
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n",
        "HTTP/1.1 two hundred\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        "\r\n\r\n",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        struct net_http_answer answer;
        struct vd_error err = {0};
        struct server s;

        assert_int_equal(ask(&s, text[i], &get, &answer, &err), VD_ERR_FORMAT);
        assert_non_null(strstr(err.text, "is not the test's server"));
        assert_null(answer.text);
    }
}

static void test_says_that_nobody_listens(void **state)
{
    static const char *const nowhere[] = {"127.0.0.1", "127.0.0.1:", ":80", "[]:80",
                                          "127.0.0.1:http"};
    struct net_http_request request = get;
    struct net_http_answer answer;
    struct server s = {0};
    struct vd_error err = {0};

    (void)state;
    listen_on_loopback(&s); /* bound, so that nobody else is; never listening */
    request.address = s.address;
    assert_int_equal(net_http_ask(&answer, &request, &err), VD_ERR_UNAVAILABLE);
    assert_non_null(strstr(err.text, "does not answer"));
    assert_non_null(strstr(err.text, s.address));
    close(s.fd);
    for (size_t i = 0; i < sizeof nowhere / sizeof *nowhere; i++) {
        err = (struct vd_error){0};
        request.address = nowhere[i];
        assert_int_not_equal(net_http_ask(&answer, &request, &err), VD_OK);
        assert_non_null(strstr(err.text, "is no address of the test's server"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_takes_an_answer),
        cmocka_unit_test(test_sends_a_body),
        cmocka_unit_test(test_refuses_what_it_does_not_understand),
        cmocka_unit_test(test_says_that_nobody_listens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
