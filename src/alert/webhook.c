/* POSTs each alert to a URL. libcurl is loaded with the first alert (it brings TLS and a
 * dozen libraries along). 2xx is success; a client error but 408 and 429 will not get
 * better; all else is tried again. Redirects are not followed: the address is the
 * operator's word. The URL may hold a secret, so no message names it.
 */
#include <curl/curl.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "alert/webhook.h"

struct webhook {
    struct alert_place place;
    void *library;
    CURL *curl;
    struct curl_slist *headers;

    CURLcode (*global_init)(long flags);
    CURL *(*easy_init)(void);
    CURLcode (*easy_setopt)(CURL *curl, CURLoption option, ...);
    CURLcode (*easy_perform)(CURL *curl);
    CURLcode (*easy_getinfo)(CURL *curl, CURLINFO info, ...);
    void (*easy_cleanup)(CURL *curl);
    const char *(*easy_strerror)(CURLcode code);
    struct curl_slist *(*slist_append)(struct curl_slist *list, const char *text);
    void (*slist_free_all)(struct curl_slist *list);
};

static bool wanted(const struct alert_channels_config *config)
{
    return config->webhook != NULL && config->webhook[0] != '\0';
}

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

/* The answer's body is nobody's business. */
static size_t discard(char *bytes, size_t size, size_t n, void *context)
{
    (void)bytes;
    (void)context;
    return size * n;
}

static int look_up(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
    struct webhook *w = context;

    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return atomic_load(w->place.stop);
}

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
    w->easy_setopt(w->curl, CURLOPT_WRITEFUNCTION, discard);
    w->easy_setopt(w->curl, CURLOPT_NOPROGRESS, 0L);
    w->easy_setopt(w->curl, CURLOPT_XFERINFOFUNCTION, look_up);
    w->easy_setopt(w->curl, CURLOPT_XFERINFODATA, w);
}

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

static enum alert_result create(void **out, const struct alert_place *place,
                                struct vd_error *err)
{
    struct webhook *w = calloc(1, sizeof *w);

    if (w == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        return ALERT_RETRY;
    }
    w->place = *place;
    if (!load(w)) {
        vd_error_set(err, VD_ERR_UNAVAILABLE, "install libcurl4",
                     "libcurl.so.4 cannot be loaded");
        free(w);
        return ALERT_FAIL;
    }
    w->global_init(CURL_GLOBAL_DEFAULT);
    w->curl = w->easy_init();
    w->headers = w->slist_append(NULL, "Content-Type: application/json");
    if (w->curl == NULL || w->headers == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory");
        destroy(w);
        return ALERT_RETRY;
    }
    set_up(w);
    *out = w;
    return ALERT_OK;
}

static enum alert_result judge(struct webhook *w, CURLcode code, struct vd_error *err)
{
    long answer = 0;

    if (code != CURLE_OK) {
        vd_error_set(err, VD_ERR_RETRY, NULL, "%s", w->easy_strerror(code));
        return code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL
                   ? ALERT_FAIL
                   : ALERT_RETRY;
    }
    w->easy_getinfo(w->curl, CURLINFO_RESPONSE_CODE, &answer);
    if (answer >= 200 && answer < 300)
        return ALERT_OK;
    vd_error_set(err, VD_ERR_RETRY, NULL, "the server answered %ld", answer);
    return answer >= 300 && answer < 500 && answer != 408 && answer != 429 ? ALERT_FAIL
                                                                           : ALERT_RETRY;
}

static enum alert_result post(void *channel, const struct alert_notice *notice,
                              struct vd_error *err)
{
    struct webhook *w = channel;
    char *body = alert_webhook_body(notice, w->place.config->host);
    enum alert_result result;

    if (body == NULL) {
        vd_error_set(err, VD_ERR_MEMORY, NULL, "no memory for the message");
        return ALERT_RETRY;
    }
    w->easy_setopt(w->curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    w->easy_setopt(w->curl, CURLOPT_POSTFIELDS, body);
    result = judge(w, w->easy_perform(w->curl), err);
    free(body);
    return result;
}

const struct alert_channel alert_channel_webhook = {
    .name = "webhook",
    .wanted = wanted,
    .check = alert_webhook_check,
    .create = create,
    .send = post,
    .destroy = destroy,
};
