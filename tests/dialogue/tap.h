/* Plays of scripts as tests, told in TAP, and a folder for the files that they need. */
#pragma once

#include "tests/dialogue/script.h"

struct tap {
        char directory[32]; /* empty: there is none */
        unsigned count;     /* of tests that were told */
        bool is_good;       /* all of them, and whatever else the caller has cleared it for */
};

/* Announces so many tests. */
void tap_begin(struct tap *tap, size_t tests);
void tap_make_folder(struct tap *tap);
void tap_test(struct tap *tap, bool is_good, const char *name);
/* A script that was played in this mode, with its failure. */
void tap_play(struct tap *tap, bool is_good, const struct script *script, const struct text *failure,
              const char *mode);
/* Deletes the folder, if there is one; returns the status of the process. */
int tap_end(struct tap *tap);
