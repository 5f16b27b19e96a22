/* The names of users, from /etc/passwd: what a directory server knows beyond that would
 * have to be asked over a network, which the loop cannot wait for. */
#include "show/internal.h"

#include <pwd.h>
#include <stdio.h>

/* Bounds what is read of the file, so that a huge one neither fills the stack nor holds
 * the loop. */
enum { USERS_MAX = 4096, USER_LINE = 4096 };

/* Tells whether the number is new. Of two names for one number the first is the one that
 * programs print. */
static bool is_new(uid_t *seen, size_t n, uid_t uid)
{
    for (size_t i = 0; i < n; i++)
        if (seen[i] == uid)
            return false;
    seen[n] = uid;
    return true;
}

/* Writes {"users": {"0": "root", ...}}. A file that cannot be read gives no names, and
 * the page then shows numbers. */
void show_encode_users(struct show_json *j, const char *path)
{
    FILE *file = fopen(path, "re");
    struct passwd user, *found = NULL;
    char line[USER_LINE], number[16];
    uid_t seen[USERS_MAX];
    size_t n = 0;

    show_json_open(j, NULL, '{');
    show_json_open(j, "users", '{');
    while (file != NULL && n < USERS_MAX &&
           fgetpwent_r(file, &user, line, sizeof line, &found) == 0) {
        if (!is_new(seen, n, user.pw_uid))
            continue;
        n++;
        snprintf(number, sizeof number, "%u", (unsigned)user.pw_uid);
        show_json_string(j, number, user.pw_name);
    }
    show_json_close(j, '}');
    show_json_close(j, '}');
    if (file != NULL)
        fclose(file);
}
