/* The text of one configuration file, made ready for libConfuse, which counts lines wrongly and refuses lists
 * with comments in them (3.3), takes the end of a file for the end of a section, and stops at the first
 * unknown key; for conf/ only. */
#pragma once

#include "core/base/arena.h"

#include <sys/types.h>

struct source {
        struct source *next;
        const char *name; /* as it is named in reports */
        char *octets;     /* comments are blanks; no control characters but newlines; owner: malloc() */
        size_t length;
        /* Of the file; of a text in memory zero. */
        dev_t device;
        ino_t inode;
        bool is_open; /* for the parser: being read, or a file that it includes is */
};

/* What is wrong with a text. */
struct source_fault {
        char message[256];
        uint32_t line; /* 0: the file as a whole */
};

/* Reads `path`, a regular file. On failure false and the reason in *ret_fault; nothing is to be freed. */
bool source_read(struct source *source, const char *path, struct source_fault *ret_fault);
/* In a list of them: the one of this name, or the one that is the same file as `other`. NULL when there is none. */
struct source *source_find(struct source *first, const char *name);
struct source *source_find_same(struct source *first, const struct source *other);
/* Blanks comments; finds what libConfuse would misread: control characters, unended strings, comments,
 * sections and lists. */
bool source_prepare(struct source *source, struct source_fault *ret_fault);
/* Blanks the setting or section whose key `key` ends in `line`, newlines kept; the first such in a section of
 * that name, "root" outside of all, within `depth` sections. `is_whole_line`: outside of all, with what else
 * Postfix would take for its value. False when it is not found. */
bool source_blank_key(struct source *source, uint32_t line, struct span key, struct span section,
                      size_t depth, bool is_whole_line);
