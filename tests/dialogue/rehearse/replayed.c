/* What a session that had a tape was answered, it is answered again when its tape is played under the same
 * configuration: plays each script, and the tape of each of its sessions behind it. TAP. */
#include "core/rehearse/compare.h"
#include "core/smtp/tape/play.h"
#include "tests/dialogue/play.h"
#include "tests/dialogue/tap.h"

#include <jansson.h>

#define ARENA_MAX (1u << 20)

static struct tape_player player;
static struct block_pool pool;
/* Of all scripts; and of the one at hand. */
static size_t sessions, cut, answers, refusals;
static bool is_good;

static void take(void *context, const struct rehearsed *rehearsed)
{
        answers++;
        refusals += rehearsed->live.outcome != OUTCOME_TAKEN;
        if (rehearsed->change == CHANGE_NONE)
                return;
        is_good = false;
        printf("# played: %.*s\n", (int)player.played.length, player.played.at);
        printf("# %s: <%.*s> <%.*s> %s, was %s by %s, is %s by %s\n", (const char *)context,
               (int)rehearsed->sender.length, rehearsed->sender.at, (int)rehearsed->recipient.length,
               rehearsed->recipient.at, rehearse_change_names[rehearsed->change],
               rehearse_outcome_names[rehearsed->live.outcome],
               rehearsed->live.reply == REPLY_NONE ? "none" : reply_infos[rehearsed->live.reply].name,
               rehearse_outcome_names[rehearsed->other.outcome],
               rehearsed->other.reply == REPLY_NONE ? "none" : reply_infos[rehearsed->other.reply].name);
}

static void fail(const char *what, const char *facts)
{
        is_good = false;
        printf("# %s: %s\n", what, facts);
}

static void replay(const struct snapshot *snapshot, const char *facts)
{
        struct taped live, again;
        struct arena arena;

        arena_init(&arena, &pool, ARENA_MAX);
        if (!taped_read(span_from(facts), &arena, &live))
                fail("cannot be read", facts);
        else if (!tape_play(&player, snapshot, &live))
                fail("cannot be played", facts);
        else if (!taped_read(text_span(&player.played), &arena, &again))
                fail("what was played cannot be read", facts);
        else
                rehearse_compare(&live, &again, NULL, take, (void *)(uintptr_t)facts);
        arena_end(&arena);
}

static void look(const struct snapshot *snapshot, struct span lines)
{
        while (lines.length > 0) {
                struct span line = span_take_line(&lines, SPAN("\n"));
                json_t *object = json_loadb(line.at, line.length, 0, NULL);
                const char *facts = json_string_value(json_object_get(object, "facts"));
                sessions += facts != NULL;
                cut += json_object_get(object, "facts_cut") != NULL;
                if (facts != NULL)
                        replay(snapshot, facts);
                json_decref(object);
        }
}

static void run(const char *path, struct tap *tap)
{
        static struct play play;
        struct script script;

        if (!script_read(path, &script)) {
                tap->is_good = false;
                return;
        }
        is_good = true;
        play_script(&play, &script, tap->directory, CUT_WHOLE, 1, ANSWER_IN_ORDER);
        tap_play(tap, is_good, &script, &(struct text){0}, "played again");
        play_end(&play);
        script_end(&script);
}

int main(int argc, char **argv)
{
        struct tap tap;
        char name[160];

        tap_begin(&tap, (size_t)(argc - 1) + 1);
        tap_make_folder(&tap);
        block_pool_init(&pool, 4096, 64);
        tape_player_init(&player);
        harness_look = look;
        for (int i = 1; i < argc; i++)
                run(argv[i], &tap);
        snprintf(name, sizeof name,
                 "of %zu sessions %zu answers were the same, %zu of them against the mail; "
                 "%zu tapes were cut",
                 sessions, answers, refusals, cut);
        tap_test(&tap, answers > 1000 && refusals > 500 && cut < sessions / 10, name);
        tape_player_end(&player);
        block_pool_end(&pool);
        return tap_end(&tap);
}
