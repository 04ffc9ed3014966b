/* Names come from two files alone: other sources of names take sockets, which the sandbox lets nobody open. */
#include "conf/text/access.h"

#include "core/base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/* To root what is no folder denies X_OK as well. */
static bool is_denied(const char *path, int mode)
{
        struct stat status;

        if (faccessat(AT_FDCWD, path, mode, AT_EACCESS) == 0 || errno != EACCES)
                return false;
        return (mode & X_OK) == 0 || (stat(path, &status) == 0 && S_ISDIR(status.st_mode));
}

static void put_user(struct text *text, uid_t user)
{
        FILE *file = fopen("/etc/passwd", "re");
        const struct passwd *entry = NULL;

        while (file != NULL && (entry = fgetpwent(file)) != NULL && entry->pw_uid != user)
                ;
        if (entry != NULL)
                text_put_string(text, entry->pw_name);
        else
                text_put_number(text, user);
        if (file != NULL)
                fclose(file);
}

static void put_group(struct text *text, gid_t group)
{
        FILE *file = fopen("/etc/group", "re");
        const struct group *entry = NULL;

        while (file != NULL && (entry = fgetgrent(file)) != NULL && entry->gr_gid != group)
                ;
        if (entry != NULL)
                text_put_string(text, entry->gr_name);
        else
                text_put_number(text, group);
        if (file != NULL)
                fclose(file);
}

/* `folder`: NULL where it is the file. */
static void put_owner(struct text *text, const char *folder, const struct stat *status)
{
        text_put_string(text, folder == NULL ? ", it" : ", the folder ");
        text_put_string(text, folder == NULL ? "" : folder);
        text_put_string(text, " belongs to ");
        put_user(text, status->st_uid);
        text_put_char(text, ':');
        put_group(text, status->st_gid);
        text_printf(text, " with mode %04o", (unsigned)(status->st_mode & 07777));
}

/* The first folder on the way that may not be passed. With `is_new` the last one must take a new file, too. */
static bool find_folder(const char *path, bool is_new, char ret_folder[static PATH_MAX])
{
        const char *last = strrchr(path, '/');

        for (const char *slash = strchr(path, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
                size_t length = slash == path ? 1 : (size_t)(slash - path);
                if (length >= PATH_MAX)
                        return false;
                span_copy_cut(span_of(path, length), ret_folder, PATH_MAX);
                if (is_denied(ret_folder, is_new && slash == last ? W_OK | X_OK : X_OK))
                        return true;
        }
        span_copy_cut(SPAN("."), ret_folder, PATH_MAX);
        return last == NULL && is_new && is_denied(".", W_OK | X_OK);
}

const char *access_denied(const char *path, int mode, char ret_text[static ACCESS_TEXT_MAX])
{
        char folder[PATH_MAX];
        struct stat status;
        struct text text;
        const char *denier;

        errno = 0;
        denier = is_denied(path, mode) ? path : NULL;
        bool is_new = denier == NULL && errno == ENOENT && (mode & W_OK) != 0;
        if ((denier != NULL || is_new) && find_folder(path, is_new, folder))
                denier = folder;
        ret_text[0] = '\0';
        if (denier == NULL)
                return ret_text;
        text_over(&text, ret_text, ACCESS_TEXT_MAX - 1);
        text_put_string(&text, "; tried as ");
        put_user(&text, geteuid());
        if (stat(denier, &status) == 0) /* of a link it may fail */
                put_owner(&text, denier == path ? NULL : denier, &status);
        ret_text[text.length] = '\0';
        return ret_text;
}
