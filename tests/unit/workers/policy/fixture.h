/* A folder with a log, of this test alone. */
#pragma once

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/gatepost-test-XXXXXX";

static inline void folder_make(void)
{
        cr_assert_not_null(mkdtemp(folder));
        cr_assert_eq(chdir(folder), 0);
}

static inline void folder_remove(void)
{
        char command[sizeof folder + 8];

        snprintf(command, sizeof command, "rm -r %s", folder);
        cr_assert_eq(system(command), 0);
}

static inline void append(const char *path, const char *octets)
{
        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

        cr_assert_geq(fd, 0);
        cr_assert_eq(write(fd, octets, strlen(octets)), (ssize_t)strlen(octets));
        close(fd);
}
