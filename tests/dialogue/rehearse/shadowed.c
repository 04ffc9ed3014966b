/* Whether sessions have tapes for others to judge changes nothing: plays each script without, with tapes for all
 * sessions, for one in three, and with a taker that has no memory, and demands the same octets said, logged and
 * stored, and the same counters, rates, seats and senders. TAP. */
#include "tests/dialogue/play.h"
#include "tests/dialogue/tap.h"

#include <stdio.h>
#include <stdlib.h>

/* The taker of tapes. */
struct taker {
        struct tape_sink sink; /* first */
        bool has_memory;
        size_t lent, given_back, of_use;
};

static struct tape *lend(struct tape_sink *sink)
{
        struct taker *taker = (struct taker *)sink;
        struct tape *tape = taker->has_memory ? malloc(sizeof *tape + TAPE_MAX) : NULL;

        taker->lent += tape != NULL;
        return tape;
}

static void give_back(struct tape_sink *sink, struct tape *tape, struct span octets)
{
        struct taker *taker = (struct taker *)sink;

        taker->given_back++;
        taker->of_use += octets.length > 0;
        free(tape);
}

static struct taker takers[] = {
    {.sink = {.share_ppm = 1000000, .lend = lend, .give_back = give_back}, .has_memory = true},
    {.sink = {.share_ppm = 333334, .lend = lend, .give_back = give_back}, .has_memory = true},
    {.sink = {.share_ppm = 1000000, .lend = lend, .give_back = give_back}},
};
static const char *const names[] = {"all have tapes", "one in three has a tape",
                                    "there is no memory for tapes"};

#define TAKER_COUNT (sizeof takers / sizeof takers[0])

static bool are_same(const char *what, struct span left, struct span right)
{
        if (span_equals(left, right))
                return true;
        printf("# another %s: %.*s\n# was: %.*s\n", what, (int)right.length, right.at, (int)left.length,
               left.at);
        return false;
}

static bool are_same_octets(const char *what, const void *left, const void *right, size_t size)
{
        if (memcmp(left, right, size) == 0)
                return true;
        printf("# another state of %s\n", what);
        return false;
}

/* Times are by the clock of the script; what checks cost is not. */
static bool count_the_same(const struct counters *left, const struct counters *right)
{
        return are_same_octets("counters", left, right, offsetof(struct counters, costs));
}

static bool remember_the_same(const struct scripted_senders *left, const struct scripted_senders *right)
{
        return left->row_count == right->row_count &&
               are_same_octets("senders", left->rows, right->rows, left->row_count * sizeof left->rows[0]) &&
               are_same("notice", text_span(&left->told), text_span(&right->told));
}

static bool end_the_same(const struct play *without, const struct play *with)
{
        const struct harness *left = &without->harness, *right = &with->harness;

        return are_same("failure", text_span(&without->failure), text_span(&with->failure)) &&
               are_same("dialogue", text_span(&left->said), text_span(&right->said)) &&
               are_same("log", text_span(&left->logged), text_span(&right->logged)) &&
               are_same("store", text_span(&left->stored), text_span(&right->stored)) &&
               count_the_same(&left->counters, &right->counters) &&
               remember_the_same(&left->senders, &right->senders) &&
               are_same_octets("rates", left->room.ledger, right->room.ledger, sizeof left->room.ledger) &&
               are_same_octets("seats", left->room.clients, right->room.clients, sizeof left->room.clients) &&
               are_same_octets("questions", left->room.questions, right->room.questions,
                               sizeof left->room.questions);
}

static void run(const char *path, struct tap *tap)
{
        static struct play without, with;
        struct script script;

        if (!script_read(path, &script)) {
                tap->is_good = false;
                return;
        }
        play_sink = NULL;
        play_script(&without, &script, tap->directory, CUT_WHOLE, 1, ANSWER_IN_ORDER);
        for (size_t i = 0; i < TAKER_COUNT; i++) {
                play_sink = &takers[i].sink;
                play_script(&with, &script, tap->directory, CUT_WHOLE, 1, ANSWER_IN_ORDER);
                tap_play(tap, end_the_same(&without, &with), &script, &(struct text){0}, names[i]);
                play_end(&with);
        }
        play_end(&without);
        script_end(&script);
}

int main(int argc, char **argv)
{
        struct tap tap;
        char name[128];
        bool is_good = true;

        tap_begin(&tap, (size_t)(argc - 1) * TAKER_COUNT + 1);
        tap_make_folder(&tap);
        for (int i = 1; i < argc; i++)
                run(argv[i], &tap);
        for (size_t i = 0; i < TAKER_COUNT; i++)
                is_good &= takers[i].lent == takers[i].given_back;
        snprintf(name, sizeof name, "of %zu tapes all came back, and %zu were of use", takers[0].lent,
                 takers[0].of_use);
        /* Else nothing has been shown. */
        tap_test(&tap, is_good && takers[0].of_use > 500 && takers[1].of_use > 100 && takers[2].lent == 0,
                 name);
        return tap_end(&tap);
}
