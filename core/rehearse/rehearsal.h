/* Judges sessions again, one after the other, under another configuration, and counts what would be another. Owner: a
 * thread. It is large. */
#pragma once

#include "core/rehearse/tally.h"
#include "core/smtp/tape/play.h"

#define REHEARSAL_REASONS_MAX 64
#define REHEARSAL_ARENA_MAX   (2u << 20) /* octets that a tape and what is made of it may take */

/* What sessions needed that was not known. */
struct rehearsal_reason {
        enum check_id check;
        char zone[256];    /* empty: no list's */
        uint64_t sessions; /* that needed it */
};

/* What came of it, since the beginning or the last rehearsal_forget(). */
struct rehearsal_result {
        uint64_t judged, changed, unknown, too_long; /* sessions */
        struct rehearsal_reason reasons[REHEARSAL_REASONS_MAX];
        size_t reason_count;
        struct tally tally;
};

struct rehearsal {
        const struct snapshot *snapshot;
        rehearse_visit *visit; /* is told of each answer as well; NULL: nobody is */
        void *context;
        struct rehearsal_result result;
        struct tape_player player;
        bool has_change, has_unknown; /* the session at hand */
        struct played_unknown unknown[PLAYED_UNKNOWN_MAX];
        size_t unknown_count;
        char kept[TAPE_MAX];
};

/* NULL when memory is out. The snapshot outlives it. */
struct rehearsal *rehearsal_create(const struct snapshot *snapshot);
void rehearsal_destroy(struct rehearsal *rehearsal);
/* All counts begin anew. False when memory is out; then nothing has changed. */
bool rehearsal_forget(struct rehearsal *rehearsal);
/* Plays the session. What it needs and does not have is in rehearsal->player.unknown then. False, and counted, when it
 * becomes too long. */
bool rehearsal_play(struct rehearsal *rehearsal, const struct taped *live);
/* Compares and counts what was played last. `arena` is that of the tape. */
void rehearsal_count(struct rehearsal *rehearsal, const struct taped *live, struct arena *arena);
