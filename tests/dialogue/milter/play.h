/* Plays a script of a filter once. */
#pragma once

#include "tests/dialogue/milter/peer.h"
#include "tests/dialogue/script.h"

#define MACROS_MAX 8

struct milter_play {
        const struct script *script;
        struct peer peer;
        struct text flight; /* gathered, not sent yet */
        size_t said_read, events_read;
        struct milter_macro macros[MACROS_MAX]; /* of the next step */
        size_t macro_count;
        char macro_names[MACROS_MAX][64];
        struct text failure; /* empty: none */
        char flight_octets[1 << 19], failure_octets[4096];
};

/* What did not go as the script says is in play->failure. The peer is to be ended. */
void milter_play(struct milter_play *play, const struct script *script, enum cutting cutting, uint32_t seed);

/* ---- for directives; the first failure counts */

void milter_play_fail(struct milter_play *play, const struct step *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- caller.c: directives of what the caller does */

void milter_play_macro(struct milter_play *play, const struct step *step);
void milter_play_connect(struct milter_play *play, const struct step *step);
void milter_play_helo(struct milter_play *play, const struct step *step);
void milter_play_mail(struct milter_play *play, const struct step *step);
void milter_play_rcpt(struct milter_play *play, const struct step *step);
void milter_play_data(struct milter_play *play, const struct step *step);
void milter_play_text(struct milter_play *play, const struct step *step);
void milter_play_give(struct milter_play *play, const struct step *step);
void milter_play_end(struct milter_play *play, const struct step *step);
void milter_play_abort(struct milter_play *play, const struct step *step);
void milter_play_quit(struct milter_play *play, const struct step *step);
void milter_play_stop(struct milter_play *play, const struct step *step);
void milter_play_apply(struct milter_play *play, const struct step *step);
