/* Plays a script once: its directives against the miniature worker. */
#pragma once

#include "tests/dialogue/harness.h"
#include "tests/dialogue/script.h"

#define SNAPSHOTS_MAX 8 /* configurations in one script */

struct play {
        const struct script *script;
        const char *directory; /* where files of the configuration are written */
        bool is_mute;          /* nothing is expected, and the rung stays: see play_mute() */
        struct snapshot *snapshots[SNAPSHOTS_MAX];
        size_t snapshot_count;
        size_t said_read;    /* offset in harness.said of what no directive has expected yet */
        struct text flight;  /* gathered, not sent yet */
        struct text failure; /* empty: none */
        /* The harness clears itself. Where the texts lie is never cleared: it is much. */
        struct harness harness;
        char flight_octets[1 << 19], failure_octets[16384];
};

/* Where it is set, sessions have tapes for it. */
extern struct tape_sink *play_sink;

/* What did not go as the script says is in play->failure. */
void play_script(struct play *play, const struct script *script, const char *directory, enum cutting cutting,
                 uint32_t seed, enum answering answering);
/* Plays what the client and the world do, on this rung from the first connection to the last, all sessions measured or
 * as the configuration has it: nothing is expected, what makes no sense any more in a session that has gone another way
 * is left out, and so is how a server stops. Each session begins a second after the one before, when its turn has
 * come. */
void play_mute(struct play *play, const struct script *script, const char *directory, enum rung rung,
               enum knowing knowing, bool is_measured);
void play_end(struct play *play);

/* ---- for directives; the first failure counts */

void play_fail(struct play *play, const struct step *step, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void play_fail_differs(struct play *play, const struct step *step, struct span expected, struct span got);
/* What was said and not yet expected. */
struct span play_unexpected(const struct play *play);

/* ---- play_tls.c */

void play_tls(struct play *play, const struct step *step);
void play_handshake(struct play *play, const struct step *step);

/* ---- world.c */

void play_dns(struct play *play, const struct step *step);
void play_senders(struct play *play, const struct step *step);
void play_hears(struct play *play, const struct step *step);
void play_suspend(struct play *play, const struct step *step);
void play_load(struct play *play, const struct step *step);
void play_memory(struct play *play, const struct step *step);
void play_hop(struct play *play, const struct step *step);
void play_store(struct play *play, const struct step *step);
void play_filters(struct play *play, const struct step *step);

/* ---- expectations.c */

void play_reply(struct play *play, const struct step *step);
void play_closed(struct play *play, const struct step *step);
void play_remembers(struct play *play, const struct step *step);
void play_told(struct play *play, const struct step *step);
void play_message(struct play *play, const struct step *step);
void play_recipients(struct play *play, const struct step *step);
void play_count(struct play *play, const struct step *step);
void play_log(struct play *play, const struct step *step);
void play_log_not(struct play *play, const struct step *step);

/* At the end: each reject id that was said is in the log as one. */
void play_check_ids(struct play *play, const struct step *step);
