/* The names of users, from /etc/passwd: what a directory server knows beyond that would
 * have to be asked over a network, which the loop cannot wait for. */
#include "show/internal.h"

#include <pwd.h>
#include <stdio.h>

enum { USERS_MAX = 4096, USER_LINE = 4096 };

void show_encode_users(struct show_json *j, const char *path)
{
    FILE *file = fopen(path, "re");
    struct passwd user, *found = NULL;
    char line[USER_LINE], uid[16];
    size_t n = 0;

    show_json_open(j, NULL, '{');
    show_json_open(j, "users", '{');
    while (file != NULL && n < USERS_MAX &&
           fgetpwent_r(file, &user, line, sizeof line, &found) == 0) {
        snprintf(uid, sizeof uid, "%u", (unsigned)user.pw_uid);
        show_json_string(j, uid, user.pw_name);
        n++;
    }
    show_json_close(j, '}');
    show_json_close(j, '}');
    if (file != NULL)
        fclose(file);
}
