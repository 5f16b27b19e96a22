/* Finds and loads libxgboost: first by the loader's own search (Debian's package), then
 * in the folders where Python packages put it. It is loaded when a fit needs it, never
 * before.
 */
#include "detect/tree/xgboost_api.h"

#include <dlfcn.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "vedette/xgboost.h"

static const char *const places[] = {
    "/usr/local/lib/python3*/site-packages/xgboost/lib/libxgboost.so",
    "/usr/local/lib/python3*/dist-packages/xgboost/lib/libxgboost.so",
    "/usr/lib/python3*/dist-packages/xgboost/lib/libxgboost.so",
    "/usr/lib/python3/dist-packages/xgboost/lib/libxgboost.so",
    "/opt/xgboost/lib/libxgboost.so",
};

/* Opens one file. RTLD_NODELETE: the library starts OpenMP threads, which must not lose
 * their code. */
static void *load(const char *path)
{
    return dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

/* Opens the first libxgboost that is found; NULL = none. */
static void *load_from_places(void)
{
    void *library = load("libxgboost.so");

    if (library == NULL)
        library = load("libxgboost.so.0");
    for (size_t i = 0; library == NULL && i < sizeof places / sizeof *places; i++) {
        glob_t found;

        if (glob(places[i], 0, NULL, &found) != 0)
            continue;
        for (size_t k = 0; library == NULL && k < found.gl_pathc; k++)
            library = load(found.gl_pathv[k]);
        globfree(&found);
    }
    return library;
}

enum vd_status vd__xgb_open(struct vd__xgb *xgb, const char *path, struct vd_error *err)
{
    const char *hint =
        "install it (apt install libxgboost-dev, or pip install xgboost) or "
        "give the path of libxgboost.so";
    bool given = path != NULL && path[0] != '\0';
    void *library = given ? load(path) : load_from_places(), *symbol;

    if (library == NULL)
        return vd_error_set(err, VD_ERR_UNAVAILABLE, hint, "xgboost: %s",
                            given ? dlerror() : "libxgboost.so was not found");
        /* A pointer to data becomes one to a function by its bytes: POSIX promises this.
         */
#define X(type, name, args)                                                              \
    symbol = dlsym(library, #name);                                                      \
    memcpy(&xgb->name, &symbol, sizeof symbol);                                          \
    if (symbol == NULL)                                                                  \
        return vd_error_set(err, VD_ERR_UNAVAILABLE, hint,                               \
                            "xgboost: the library has no function " #name);
    VD__XGB_FUNCTIONS(X)
#undef X
    return VD_OK;
}

enum vd_status vd_xgboost_probe(const char *path, struct vd_error *err)
{
    struct vd__xgb xgb;

    return vd__xgb_open(&xgb, path, err);
}
