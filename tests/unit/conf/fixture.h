/* For the tests of conf/: a folder with files, and texts that load or give errors. */
#pragma once

#include "conf/build/load.h"

#include <stdio.h>
#include <criterion/criterion.h>
#include <ftw.h>
#include <stdlib.h>
#include <unistd.h>

/* A domain that loads, with the file of file_folder(). */
#define DOMAIN   "domain \"isp.example\" { recipients = \"people\" deliver = \"maildir:mail/%d/%u\" }\n"
#define HOSTNAME "hostname = \"mx.isp.example\" "

static char folder[] = "/tmp/gatepost-test-XXXXXX";

static void write_file(const char *name, const char *text, size_t length)
{
        char path[256];
        snprintf(path, sizeof path, "%s/%s", folder, name);
        FILE *file = fopen(path, "w");
        cr_assert(file != NULL && fwrite(text, 1, length, file) == length && fclose(file) == 0);
}

static void folder_begin(void)
{
        cr_assert(mkdtemp(folder) != NULL);
        write_file("people", "alice\nbob\n", 10);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
        (void)status;
        (void)type;
        (void)walk;
        return remove(path);
}

static void folder_end(void)
{
        nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* Everything that the complaints says about a text must be `expected`; with errors there is no snapshot. */
static inline void check_complaints(const char *text, const char *expected)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
        cr_expect_str_eq(complaints.text == NULL ? "" : complaints.text, expected, "for %s:\n%s", text,
                         complaints.text);
        cr_expect_eq(snapshot == NULL, complaints.errors > 0);
        snapshot_free(snapshot);
        conf_complaints_end(&complaints);
}

/* The snapshot of a text without errors, to be freed. */
static inline struct snapshot *load(const char *text)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load_text(text, folder, &complaints);
        cr_assert(snapshot != NULL, "%s", complaints.text);
        conf_complaints_end(&complaints);
        return snapshot;
}
