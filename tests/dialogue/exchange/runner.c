/* Running scripts, each in all ways. */
#include "tests/dialogue/exchange/exchange.h"
#include "tests/dialogue/tap.h"

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

static bool is_same(const struct exchange *first, const struct exchange *other)
{
        return span_equals(text_span(first->said), text_span(other->said)) &&
               span_equals(text_span(first->events), text_span(other->events));
}

static void end_peer(const struct exchange *play)
{
        if (play->kind->end != NULL)
                play->kind->end(play->peer);
}

static void run(const struct exchange_kind *kind, const char *path, struct tap *tap)
{
        static struct exchange first, other;
        struct script script;

        if (!script_read(path, &script)) {
                tap->is_good = false;
                return;
        }
        for (size_t i = 0; i < MODE_COUNT; i++) {
                struct exchange *play = i == 0 ? &first : &other;
                play->kind = kind;
                play->peer = kind->peers[i > 0];
                exchange_play(play, &script, modes[i].cutting, modes[i].seed);
                if (play->failure.length == 0 && !is_same(&first, play))
                        text_put_string(&play->failure, "it differs from the first run");
                tap_play(tap, play->failure.length == 0, &script, &play->failure, modes[i].name);
                if (i > 0)
                        end_peer(play);
        }
        end_peer(&first);
        script_end(&script);
}

int exchange_run(const struct exchange_kind *kind, int argc, char **argv)
{
        struct tap tap;

        tap_begin(&tap, (size_t)(argc - 1) * MODE_COUNT);
        for (int i = 1; i < argc; i++)
                run(kind, argv[i], &tap);
        return tap_end(&tap);
}
