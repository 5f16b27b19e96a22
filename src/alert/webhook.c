/* POSTs each alert to a URL. libcurl is loaded with the first alert (it brings TLS and a
 * dozen libraries along). Redirects are not followed: the address is the operator's word.
 * The URL may hold a secret, so no message names it. Of the answer only the status
 * matters: its bytes are counted, and cut when they are too many.
 */
#include <arpa/inet.h>
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "alert/webhook.h"

/* Of an answer, head and body; nobody needs more to say yes. */
enum { ANSWER_MAX = 64 * 1024 };

/* Holds the connection and libcurl's functions, which are called by way of pointers since
 * the library is loaded late. */
struct webhook {
    struct alert_place place;
    void *library;
    CURL *curl;
    struct curl_slist *headers;
    size_t answer_bytes; /* of this answer so far */
    bool answered;       /* its head has come to an end */

    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *curl);
    CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
    void (*easy_cleanup)(CURL *curl);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
    CURLU *(*url)(void);
    CURLUcode (*url_set)(CURLU *url, CURLUPart part, const char *text, unsigned flags);
    CURLUcode (*url_get)(const CURLU *url, CURLUPart part, char **text, unsigned flags);
    void (*url_cleanup)(CURLU *url);
    void (*free)(void *memory);
};

static bool wanted(const struct alert_channels_config *config)
{
    return config->webhook != NULL && config->webhook[0] != '\0';
}

/* Loads libcurl under one of its names and finds its functions. */
static bool load(struct webhook *w)
{
    const struct {
        const char *name;
        void *to; /* a pointer to the function pointer */
    } symbol[] = {
        {"curl_global_init", &w->global_init},
        {"curl_easy_init", &w->easy_init},
        {"curl_easy_setopt", &w->easy_setopt},
        {"curl_easy_perform", &w->easy_perform},
        {"curl_easy_getinfo", &w->easy_getinfo},
        {"curl_easy_cleanup", &w->easy_cleanup},
        {"curl_easy_strerror", &w->easy_strerror},
        {"curl_slist_append", &w->slist_append},
        {"curl_slist_free_all", &w->slist_free_all},
        {"curl_url", &w->url},
        {"curl_url_set", &w->url_set},
        {"curl_url_get", &w->url_get},
        {"curl_url_cleanup", &w->url_cleanup},
        {"curl_free", &w->free},
    };
    static const char *const file[] = {"libcurl.so.4", "libcurl-gnutls.so.4"};

    for (size_t i = 0; i < 2 && w->library == NULL; i++)
        w->library = dlopen(file[i], RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; w->library != NULL && i < sizeof symbol / sizeof symbol[0]; i++) {
        void *found = dlsym(w->library, symbol[i].name);

        if (found == NULL)
            return false;
        memcpy(symbol[i].to, &found, sizeof found);
    }
    return w->library != NULL;
}

/* Counts the answer's bytes; 0 ends the transfer. */
static size_t count(struct webhook *w, size_t bytes)
{
    w->answer_bytes += bytes;
    return w->answer_bytes > ANSWER_MAX ? 0 : bytes;
}

/* Throws the body away and counts it. */
static size_t take_body(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes;
    return count(context, size * n);
}

/* Looks at one line of the head; an empty one ends it. "100 Continue" has a head of its
 * own. */
static size_t take_head(char *line, size_t size, size_t n, void *context)
{
    struct webhook *w = context;

    if (size * n >= 5 && memcmp(line, "HTTP/", 5) == 0)
        w->answered = false;
    else if (size * n <= 2)
        w->answered = true;
    return count(w, size * n);
}

/* Looks during a transfer whether to stop; libcurl ends it when the result is not 0. */
static int look_up(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct webhook *w = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(w->place.stop);
}

/* Tells whether the host is this machine. An IPv6 address is in brackets, and one of IPv4
 * may be mapped into it. */
static bool is_loopback(const char *host)
{
    size_t length = strlen(host);
    struct in_addr v4;
    struct in6_addr v6;
    char text[64];

    if (host[0] == '[' && length < sizeof text) {
        snprintf(text, sizeof text, "%.*s", (int)length - 2, host + 1);
        if (inet_pton(AF_INET6, text, &v6) != 1)
            return false;
        return IN6_IS_ADDR_LOOPBACK(&v6) ||
               (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    }
    if (inet_pton(AF_INET, host, &v4) == 1)
        return ntohl(v4.s_addr) >> 24 == 127;
    return strcasecmp(host, "localhost") == 0 || strcasecmp(host, "localhost.") == 0 ||
           (length > 10 && strcasecmp(host + length - 10, ".localhost") == 0);
}

/* Asks libcurl for the host of the URL, which is who will be asked: another parser could
 * read another one. */
static bool is_to_loopback(const struct webhook *w)
{
    CURLU *url = w->url();
    char *host = NULL;
    bool loopback = false;

    if (url != NULL &&
        w->url_set(url, CURLUPART_URL, w->place.config->webhook, 0) == CURLUE_OK &&
        w->url_get(url, CURLUPART_HOST, &host, 0) == CURLUE_OK)
        loopback = is_loopback(host);
    w->free(host);
    w->url_cleanup(url);
    return loopback;
}

/* Sets what is the same for all messages. Signals are off, since libcurl's timeouts would
 * use them in a program with threads. */
static void set_up(struct webhook *w)
{
    const struct alert_channels_config *config = w->place.config;
    long timeout_ms = (long)(config->webhook_timeout_s * 1000);

    w->easy_setopt(w->curl, CURLOPT_URL, config->webhook);
    w->easy_setopt(w->curl, CURLOPT_HTTPHEADER, w->headers);
    w->easy_setopt(w->curl, CURLOPT_USERAGENT, "vedette/" VEDETTE_VERSION);
    w->easy_setopt(w->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    w->easy_setopt(w->curl, CURLOPT_NOSIGNAL, 1L);
    w->easy_setopt(w->curl, CURLOPT_TIMEOUT_MS, timeout_ms);
    w->easy_setopt(w->curl, CURLOPT_CONNECTTIMEOUT_MS, timeout_ms / 2 + 1);
    w->easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, take_body);
    w->easy_setopt(w->curl, CURLOPT_WRITEDATA, w);
    w->easy_setopt(w->curl, CURLOPT_HEADERFUNCTION, take_head);
    w->easy_setopt(w->curl, CURLOPT_HEADERDATA, w);
    w->easy_setopt(w->curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    w->easy_setopt(w->curl, CURLOPT_NOPROGRESS, 0L);
    w->easy_setopt(w->curl, CURLOPT_XFERINFOFUNCTION, look_up);
    w->easy_setopt(w->curl, CURLOPT_XFERINFODATA, w);
    /* A proxy of the environment does not know what listens here. */
    if (is_to_loopback(w))
        w->easy_setopt(w->curl, CURLOPT_PROXY, "");
}

/* Frees the connection. The library stays loaded: TLS libraries cannot be unloaded
 * safely. */
static void destroy(void *channel)
{
    struct webhook *w = channel;

    if (w->headers != NULL)
        w->slist_free_all(w->headers);
    if (w->curl != NULL)
        w->easy_cleanup(w->curl);
    /* The library stays loaded: TLS libraries cannot be unloaded safely. */
    free(w);
}

/* Loads the library and makes the connection, on the outbox's thread. */
static enum os_outbox_result create(void **out, const struct alert_place *place,
                                    struct vd_error *err)
{
    struct webhook *w = calloc(1, sizeof *w);

    if (w == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        return OS_OUTBOX_LATER;
    }
    w->place = *place;
    if (!load(w)) {
        vd_error_set(err, VD_ERR_UNAVAILABLE, "install libcurl4",
                     "libcurl.so.4 cannot be loaded");
        free(w);
        return OS_OUTBOX_REFUSED;
    }
    w->global_init(CURL_GLOBAL_DEFAULT);
    w->curl = w->easy_init();
    w->headers = w->slist_append(NULL, "Content-Type: application/json");
    if (w->curl == NULL || w->headers == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        destroy(w);
        return OS_OUTBOX_LATER;
    }
    set_up(w);
    *out = w;
    return OS_OUTBOX_DONE;
}

/* Says what an answer means for trying again. A server that is busy says so; what it has
 * against this very message it will have tomorrow; a wrong address, path or password is
 * mended by people, within the hour or not at all. */
static enum os_outbox_result judge(long answer)
{
    static const long busy[] = {408, 423, 425, 429}, message[] = {400, 413, 415, 422};

    if (answer >= 200 && answer < 300)
        return OS_OUTBOX_DONE;
    for (size_t i = 0; i < sizeof busy / sizeof busy[0]; i++)
        if (answer == busy[i])
            return OS_OUTBOX_LATER;
    for (size_t i = 0; i < sizeof message / sizeof message[0]; i++)
        if (answer == message[i])
            return OS_OUTBOX_NEVER;
    return answer >= 300 && answer < 500 ? OS_OUTBOX_REFUSED : OS_OUTBOX_LATER;
}

/* Reads the answer. A head that came whole is an answer, whatever became of the body. */
static struct os_outbox_answer read_answer(struct webhook *w, CURLcode code,
                                           struct vd_error *err)
{
    curl_off_t wait_s = 0;
    long answer = 0;

    w->easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (!w->answered || answer < 200) {
        vd_error_set(err, VD_ERR_RETRY, NULL, "%s",
                     w->answer_bytes > ANSWER_MAX ? "the answer has no end"
                     : code == CURLE_OK           ? "no answer"
                                                  : w->easy_strerror(code));
        return (struct os_outbox_answer){.result = OS_OUTBOX_LATER};
    }
    if (judge(answer) != OS_OUTBOX_DONE)
        vd_error_set(err, VD_ERR_RETRY, NULL, "the server answered %ld", answer);
    w->easy_getinfo(w->curl, CURLINFO_RETRY_AFTER, &wait_s);
    return (struct os_outbox_answer){judge(answer), (double)wait_s};
}

/* Posts one notice and waits for the answer. */
static struct os_outbox_answer post(void *channel, const struct alert_notice *notice,
                                    struct vd_error *err)
{
    struct webhook *w = channel;
    char *body = alert_webhook_body(notice, w->place.config->host);
    struct os_outbox_answer answer;

    if (body == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the message");
        return (struct os_outbox_answer){.result = OS_OUTBOX_LATER};
    }
    w->answer_bytes = 0;
    w->answered = false;
    w->easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    w->easy_setopt(w->curl, CURLOPT_POSTFIELDS, body);
    answer = read_answer(w, w->easy_perform(w->curl), err);
    free(body);
    return answer;
}

const struct alert_channel alert_channel_webhook = {
    .name = "webhook",
    .keep_s = 24 * 3600,
    .refused_s = 3600,
    .waiting_max = 256,
    .kept = true,
    .wanted = wanted,
    .check = alert_webhook_check,
    .create = create,
    .send = post,
    .destroy = destroy,
};
