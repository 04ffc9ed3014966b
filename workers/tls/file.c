/* A file that is written to while it is read must not become half a key: its identity is looked at twice. */
#include "workers/tls/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE_MOST ((off_t)1 << 20)

bool file_identity_equals(const struct file_identity *left, const struct file_identity *right)
{
        return left->device == right->device && left->inode == right->inode && left->size == right->size &&
               left->changed.tv_sec == right->changed.tv_sec &&
               left->changed.tv_nsec == right->changed.tv_nsec;
}

static struct file_identity identity_of(const struct stat *status)
{
        return (struct file_identity){status->st_dev, status->st_ino, status->st_size, status->st_ctim};
}

/* NULL, or what is wrong. */
static const char *fault_of(const struct stat *status, bool is_secret)
{
        if (!S_ISREG(status->st_mode))
                return "is not a regular file";
        if (status->st_size > SIZE_MOST)
                return "is larger than 1 MiB";
        if (is_secret && (status->st_mode & (S_IROTH | S_IWOTH)) != 0)
                return "every user of this machine may read it; chmod o= makes it a secret";
        if (is_secret && (status->st_mode & S_IWGRP) != 0)
                return "its group may write it; chmod g-w";
        return NULL;
}

const char *secret_file_open(struct secret_file *file, const char *path, bool is_secret)
{
        struct stat status;

        /* A FIFO must not hang whoever opens it. */
        file->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        if (file->fd < 0)
                return errno == EACCES ? "permission denied: the user that serves must be able to read it, "
                                         "by a group such as "
                                         "ssl-cert for example"
                                       : strerrordesc_np(errno);
        const char *fault =
            fstat(file->fd, &status) != 0 ? strerrordesc_np(errno) : fault_of(&status, is_secret);
        if (fault != NULL)
                secret_file_close(file);
        else
                file->identity = identity_of(&status);
        return fault;
}

void secret_file_close(struct secret_file *file)
{
        if (file->fd >= 0)
                close(file->fd);
        file->fd = -1;
}

/* NULL, or what is wrong. */
static const char *read_whole(const struct secret_file *file, char *octets, size_t length)
{
        struct stat status;
        size_t at = 0;

        while (at < length) {
                ssize_t count = read(file->fd, octets + at, length - at);
                if (count < 0 && errno == EINTR)
                        continue;
                if (count < 0)
                        return strerrordesc_np(errno);
                if (count == 0)
                        return "has become shorter while it was read";
                at += (size_t)count;
        }
        if (fstat(file->fd, &status) != 0)
                return strerrordesc_np(errno);
        const struct file_identity now = identity_of(&status);
        return file_identity_equals(&file->identity, &now) ? NULL : "was written to while it was read";
}

const char *secret_file_read(struct secret_file *file, char **ret_octets, size_t *ret_length)
{
        size_t length = (size_t)file->identity.size;
        char *octets = malloc(length + 1);
        const char *fault = octets == NULL ? "out of memory" : read_whole(file, octets, length);

        secret_file_close(file);
        if (fault != NULL) {
                secret_octets_free(octets, length);
                return fault;
        }
        octets[length] = '\0';
        *ret_octets = octets;
        *ret_length = length;
        return NULL;
}

void secret_octets_free(char *octets, size_t length)
{
        if (octets != NULL)
                explicit_bzero(octets, length);
        free(octets);
}
