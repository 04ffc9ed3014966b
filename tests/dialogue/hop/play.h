/* Plays a script of a next hop once. */
#pragma once

#include "tests/dialogue/hop/peer.h"
#include "tests/dialogue/script.h"

struct hop_play {
        const struct script *script;
        struct peer peer;
        struct text flight; /* gathered, not sent yet */
        size_t said_read, events_read;
        struct text failure; /* empty: none */
        char flight_octets[1 << 17], failure_octets[4096];
};

/* What did not go as the script says is in play->failure. */
void hop_play(struct hop_play *play, const struct script *script, enum cutting cutting, uint32_t seed);

/* ---- for directives; the first failure counts */

void hop_play_fail(struct hop_play *play, const struct step *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* ---- caller.c */

void hop_play_mail(struct hop_play *play, const struct step *step);
void hop_play_rcpt(struct hop_play *play, const struct step *step);
void hop_play_data(struct hop_play *play, const struct step *step);
void hop_play_text(struct hop_play *play, const struct step *step);
void hop_play_dot(struct hop_play *play, const struct step *step);
void hop_play_abandon(struct hop_play *play, const struct step *step);
void hop_play_name(struct hop_play *play, const struct step *step);
void hop_play_probe(struct hop_play *play, const struct step *step);
void hop_play_quit(struct hop_play *play, const struct step *step);
void hop_play_stop(struct hop_play *play, const struct step *step);
