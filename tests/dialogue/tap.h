/* Plays of scripts as tests, told in TAP, and a folder for the files of their configurations. */
#pragma once

#include "tests/dialogue/play.h"

struct tap {
        char directory[32];
        unsigned count; /* of tests that were told */
        bool is_good;   /* all of them, and whatever else the caller has cleared it for */
};

/* Announces so many tests, and makes the folder. */
void tap_begin(struct tap *tap, size_t tests);
void tap_test(struct tap *tap, bool is_good, const char *name);
/* A script that was played in this mode, with its failure. */
void tap_play(struct tap *tap, bool is_good, const struct play *play, const char *mode);
/* Deletes the folder; returns the status of the process. */
int tap_end(struct tap *tap);
