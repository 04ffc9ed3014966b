/* Fuzzes tapes, which stand in logs that a stranger may have written: the first octet is the number of a configuration,
 * the rest of its line the modes of its checks, and all behind it the tape. Played twice it must lead to the same, and
 * its own tape must be one. */
#include "core/base/expect.h"
#include "core/rehearse/tally.h"
#include "core/smtp/tape/play.h"
#include "tests/fuzz/session_modes.h"

#include <urcu/urcu-memb.h>

#define ARENA_MAX (1u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static struct tape_player player;
static struct tally tally;

static void begin(void)
{
        static bool has_begun;

        if (has_begun)
                return;
        has_begun = true;
        urcu_memb_register_thread();
        tape_player_init(&player);
        expect(tally_begin(&tally));
}

/* How many answers changed, and how. */
struct told {
        unsigned changes[REHEARSE_CHANGES];
};

static void count(void *context, const struct rehearsed *rehearsed)
{
        struct told *told = context;

        expect(rehearsed->change < REHEARSE_CHANGES && rehearsed->live.outcome != OUTCOME_UNKNOWN);
        expect(rehearsed->change == CHANGE_NONE || rehearsed->live.outcome != rehearsed->other.outcome);
        told->changes[rehearsed->change]++;
        tally_add(&tally, rehearsed);
}

static struct told play(const struct snapshot *snapshot, const struct taped *live, struct arena *arena)
{
        struct taped other;
        struct told told = {{0}};

        if (!tape_play(&player, snapshot, live))
                return told;
        expect(player.played.length <= TAPE_MAX);
        expect(taped_read(text_span(&player.played), arena, &other));
        rehearse_compare(live, &other, &other, count, &told);
        return told;
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct span input = {(const char *)octets, length};
        size_t end = span_find(input, '\n');
        struct block_pool pool;
        struct arena arena;
        struct taped live;

        if (length < 2 || end == SIZE_MAX || length > 65536)
                return 0;
        begin();
        block_pool_init(&pool, 4096, 0);
        arena_init(&arena, &pool, ARENA_MAX);
        if (taped_read(span_skip(input, end + 1), &arena, &live)) {
                const struct snapshot *snapshot = session_snapshot(
                    octets[0] % SESSION_VARIANTS, span_of(input.at + 1, end > 0 ? end - 1 : 0));
                player.supposes_unlisted = false;
                struct told first = play(snapshot, &live, &arena), second = play(snapshot, &live, &arena);
                expect(memcmp(&first, &second, sizeof first) == 0);
                player.supposes_unlisted = true;
                play(snapshot, &live, &arena);
        }
        arena_end(&arena);
        block_pool_end(&pool);
        return 0;
}
