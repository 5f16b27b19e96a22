/* Asks the monitor of this machine, and says in its own words what it refuses. */
#include "cmd/local_api.h"

#include "net/http.h"

/* Turns a refusal of the monitor into an error that has its words: {"error": {"message":
 * "there is no event 7", "hint": "vedette feedback list"}}. A body that is no JSON leaves
 * only the code. */
static enum vd_status take_refusal(const struct net_http_answer *answer,
                                   struct vd_error *err)
{
    json_t *root = json_loads(answer->body, 0, NULL);
    json_t *error = json_object_get(root, "error");
    const char *message = json_string_value(json_object_get(error, "message"));
    enum vd_status status = answer->code == 404   ? VD_ERR_DATA
                            : answer->code == 400 ? VD_ERR_ARGUMENT
                                                  : VD_ERR_UNAVAILABLE;

    vd_error_set(err, status, json_string_value(json_object_get(error, "hint")),
                 "the monitor refuses: %s",
                 message != NULL ? message : "it does not say why");
    json_decref(root);
    return status;
}

enum vd_status cmd_local_api_post(const char *address, const char *path, const char *body,
                                  struct vd_error *err)
{
    const struct net_http_request request = {.server = "the monitor",
                                             .address = address,
                                             .method = "POST",
                                             .path = path,
                                             .type = "application/json",
                                             .body = body};
    struct net_http_answer answer;
    enum vd_status status = net_http_ask(&answer, &request, err);

    if (status == VD_OK && answer.code != 200)
        status = take_refusal(&answer, err);
    net_http_answer_release(&answer);
    return status;
}

/* Asks and parses the answer. A program that is no monitor may listen at the address, and
 * then the answer is no JSON. */
enum vd_status cmd_local_api_get(const char *address, const char *path, json_t **out,
                                 struct vd_error *err)
{
    const struct net_http_request request = {
        .server = "the monitor", .address = address, .method = "GET", .path = path};
    struct net_http_answer answer;
    enum vd_status status = net_http_ask(&answer, &request, err);

    *out = NULL;
    if (status == VD_OK && answer.code != 200) {
        status = take_refusal(&answer, err);
    } else if (status == VD_OK) {
        *out = json_loads(answer.body, 0, NULL);
        if (*out == NULL)
            status =
                vd_error_set(err, VD_ERR_FORMAT, NULL,
                             "what answers at the address %s is not a monitor", address);
    }
    net_http_answer_release(&answer);
    return status;
}
