/* Files of certificates, keys and secrets: who may read them, and whether they are as they were. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <time.h>

/* What tells that a file has not changed. */
struct file_identity {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec changed; /* its inode: the time of writing is what a copy may bring along */
};

struct secret_file {
        int fd; /* -1: closed */
        struct file_identity identity;
};

bool file_identity_equals(const struct file_identity *left, const struct file_identity *right);

/* Opens it, a regular file that is not too large. Returns NULL, or what is wrong, in a constant. With `is_secret` it is
 * wrong that every user may read it, or that others than its owner may write it. */
const char *secret_file_open(struct secret_file *file, const char *path, bool is_secret);
/* Reads it whole, with a NUL behind it, and closes it. Returns NULL, or what is wrong, in a constant. The octets are
 * the caller's, who gives them to secret_octets_free(). */
const char *secret_file_read(struct secret_file *file, char **ret_octets, size_t *ret_length);
void secret_file_close(struct secret_file *file);
/* Nothing of a secret stays in memory that is free. `octets` may be NULL. */
void secret_octets_free(char *octets, size_t length);
