/* One session after the other. */
#include "core/rehearse/rehearsal.h"

#include <stdlib.h>

struct rehearsal *rehearsal_create(const struct snapshot *snapshot)
{
        struct rehearsal *rehearsal = calloc(1, sizeof *rehearsal);

        if (rehearsal == NULL || !tally_begin(&rehearsal->result.tally)) {
                free(rehearsal);
                return NULL;
        }
        rehearsal->snapshot = snapshot;
        tape_player_init(&rehearsal->player);
        return rehearsal;
}

void rehearsal_destroy(struct rehearsal *rehearsal)
{
        if (rehearsal == NULL)
                return;
        tape_player_end(&rehearsal->player);
        tally_end(&rehearsal->result.tally);
        free(rehearsal);
}

bool rehearsal_forget(struct rehearsal *rehearsal)
{
        struct tally *tally = &rehearsal->result.tally, fresh;

        if (!tally_begin(&fresh))
                return false;
        tally_end(tally);
        rehearsal->result = (struct rehearsal_result){.tally = fresh};
        return true;
}

static void take(void *context, const struct rehearsed *rehearsed)
{
        struct rehearsal *rehearsal = context;

        rehearsal->has_change |= rehearse_differs(rehearsed->change);
        rehearsal->has_unknown |= rehearsed->change == CHANGE_UNKNOWN;
        tally_add(&rehearsal->result.tally, rehearsed);
        if (rehearsal->visit != NULL)
                rehearsal->visit(rehearsal->context, rehearsed);
}

static void note_reason(struct rehearsal_result *result, const struct played_unknown *unknown)
{
        size_t at = 0;

        while (at < result->reason_count &&
               (result->reasons[at].check != unknown->check ||
                !span_equals(span_from(result->reasons[at].zone), unknown->zone)))
                at++;
        if (at == REHEARSAL_REASONS_MAX)
                return;
        struct rehearsal_reason *reason = &result->reasons[at];
        if (at == result->reason_count) {
                result->reason_count++;
                reason->check = unknown->check;
                span_copy_cut(unknown->zone, reason->zone, sizeof reason->zone);
        }
        reason->sessions++;
}

bool rehearsal_play(struct rehearsal *rehearsal, const struct taped *live)
{
        rehearsal->player.supposes_unlisted = false;
        if (tape_play(&rehearsal->player, rehearsal->snapshot, live))
                return true;
        rehearsal->result.too_long++;
        return false;
}

/* The tape of the other has to be kept where there is another. */
static struct span keep(struct rehearsal *rehearsal)
{
        struct span played = text_span(&rehearsal->player.played);

        memcpy(rehearsal->kept, played.at, played.length);
        return span_of(rehearsal->kept, played.length);
}

static bool play_mildest(struct rehearsal *rehearsal, const struct taped *live, struct arena *arena,
                         struct taped *ret_mildest)
{
        rehearsal->player.supposes_unlisted = true;
        return tape_play(&rehearsal->player, rehearsal->snapshot, live) &&
               taped_read(text_span(&rehearsal->player.played), arena, ret_mildest);
}

void rehearsal_count(struct rehearsal *rehearsal, const struct taped *live, struct arena *arena)
{
        struct rehearsal_result *result = &rehearsal->result;
        const struct taped *mildest = NULL;
        struct taped other, mild;

        rehearsal->unknown_count = rehearsal->player.unknown_count;
        memcpy(rehearsal->unknown, rehearsal->player.unknown, sizeof rehearsal->unknown);
        if (!taped_read(keep(rehearsal), arena, &other)) {
                result->too_long++;
                return;
        }
        if (rehearsal->unknown_count > 0 && play_mildest(rehearsal, live, arena, &mild))
                mildest = &mild;
        rehearsal->has_change = rehearsal->has_unknown = false;
        rehearse_compare(live, &other, mildest, take, rehearsal);
        result->judged++;
        result->changed += rehearsal->has_change;
        result->unknown += rehearsal->has_unknown;
        for (size_t i = 0; rehearsal->has_unknown && i < rehearsal->unknown_count; i++)
                note_reason(result, &rehearsal->unknown[i]);
}
