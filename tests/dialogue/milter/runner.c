/* Runs scripts of a filter: each one whole, octet by octet and in pieces, and demands the same of all. TAP. */
#include "tests/dialogue/milter/play.h"

#include <stdio.h>
#include <stdlib.h>

static const struct {
        const char *name;
        enum cutting cutting;
        uint32_t seed;
} modes[] = {
    {"whole", CUT_WHOLE, 1},
    {"octet by octet", CUT_OCTETS, 1},
    {"in pieces, seed 1", CUT_PIECES, 1},
    {"in pieces, seed 271828", CUT_PIECES, 271828},
    {"in pieces, seed 3141592653", CUT_PIECES, 3141592653},
};

#define MODE_COUNT (sizeof modes / sizeof modes[0])

static bool is_same(const struct milter_play *first, const struct milter_play *other)
{
        return span_equals(text_span(&first->peer.said), text_span(&other->peer.said)) &&
               span_equals(text_span(&first->peer.events), text_span(&other->peer.events));
}

static bool run(const char *path, unsigned *number)
{
        static struct milter_play first, other;
        struct script script;
        bool is_good = true;

        if (!script_read(path, &script))
                return false;
        for (size_t i = 0; i < MODE_COUNT; i++) {
                struct milter_play *play = i == 0 ? &first : &other;
                milter_play(play, &script, modes[i].cutting, modes[i].seed);
                if (play->failure.length == 0 && !is_same(&first, play))
                        text_put_string(&play->failure, "it differs from the first run");
                bool is_mode_good = play->failure.length == 0;
                is_good = is_good && is_mode_good;
                printf("%sok %u - %s, %s\n", is_mode_good ? "" : "not ", ++*number, path, modes[i].name);
                if (!is_mode_good)
                        printf("# %.*s\n", (int)play->failure.length, play->failure.at);
                if (i > 0)
                        milter_peer_end(&play->peer);
        }
        milter_peer_end(&first.peer);
        script_end(&script);
        return is_good;
}

int main(int argc, char **argv)
{
        unsigned number = 0;
        bool is_good = true;

        printf("TAP version 13\n1..%zu\n", (size_t)(argc - 1) * MODE_COUNT);
        for (int i = 1; i < argc; i++)
                is_good = run(argv[i], &number) && is_good;
        return is_good ? EXIT_SUCCESS : EXIT_FAILURE;
}
