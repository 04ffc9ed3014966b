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
        char message[768];
        uint32_t line; /* 0: the file as a whole */
};

/* Reads `path`, a regular file. On failure it is false with the reason in *ret_fault, and nothing is to be
 * freed. */
bool source_read(struct source *source, const char *path, struct source_fault *ret_fault);
/* These look through a list: for the source of this name, or for the one that is the same file as `other`. NULL
 * when there is none. */
struct source *source_find(struct source *first, const char *name);
struct source *source_find_same(struct source *first, const struct source *other);
/* The word that source_prepare() puts in the place of an empty list. Nobody can write it. */
#define SOURCE_EMPTY_LIST "\x01"

/* Blanks comments, and makes a word of each empty list that is assigned, because libConfuse calls nobody back
 * for it. False when there is something that libConfuse would misread: a control character, or a
 * string, comment, section or list that does not end. A string ends in its line. */
bool source_prepare(struct source *source, struct source_fault *ret_fault);
/* A key, and what is given to it. */
struct source_key {
        size_t start,
            end; /* with its value, list or section; equal when what follows shows that it has none */
        struct span value; /* the word behind it; at == NULL when there is none */
};

/* Finds the setting or section whose key `key` ends in `line`. It is the first such in a section of the name
 * `section` ("root" outside of all) that lies within `depth` sections. With `is_whole_line` its end is, outside
 * of all sections, where Postfix would end the value. Does nothing when there is none. */
void source_find_key(const struct source *source, uint32_t line, struct span key, struct span section,
                     size_t depth, bool is_whole_line, struct source_key *ret_key);
/* Keeps the newlines. */
void source_blank_key(struct source *source, const struct source_key *key);
