/* The text of one configuration file, made ready for libConfuse. Version 3.3 of it counts lines wrongly,
 * refuses lists with comments in them, takes the end of a file for the end of a section, and stops at the
 * first unknown key. Only conf/ includes this. */
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

/* Reads `path`, a regular file. On failure it is false with the reason in *ret_fault, and nothing is to be
 * freed. */
bool source_read(struct source *source, const char *path, struct source_fault *ret_fault);
/* These look through a list: for the source of this name, or for the one that is the same file as `other`. NULL
 * when there is none. */
struct source *source_find(struct source *first, const char *name);
struct source *source_find_same(struct source *first, const struct source *other);
/* Blanks comments. False when there is something that libConfuse would misread: a control character, or a
 * string, comment, section or list that does not end. A string ends in its line. */
bool source_prepare(struct source *source, struct source_fault *ret_fault);
/* Blanks the setting or section whose key `key` ends in `line`, and keeps its newlines. It is the first such
 * in a section of the name `section` ("root" outside of all) that lies within `depth` sections. With
 * `is_whole_line` it blanks, outside of all sections, what else Postfix would take for the value. False when
 * there is none. */
bool source_blank_key(struct source *source, uint32_t line, struct span key, struct span section,
                      size_t depth, bool is_whole_line);
