/* Runs dialogue scripts: each one whole, octet by octet and in random pieces, and demands the same transcript
 * of all. TAP. */
#include "tests/dialogue/play.h"
#include "tests/dialogue/tap.h"

static const struct {
        const char *name;
        enum cutting cutting;
        uint32_t seed;
        enum answering answering;
} modes[] = {
    {"whole, answers at once", CUT_WHOLE, 1, ANSWER_AT_ONCE},
    {"octet by octet, answers in order", CUT_OCTETS, 1, ANSWER_IN_ORDER},
    {"in pieces, seed 1, answers last first", CUT_PIECES, 1, ANSWER_LAST_FIRST},
    {"in pieces, seed 271828, answers in order", CUT_PIECES, 271828, ANSWER_IN_ORDER},
    {"in pieces, seed 3141592653, answers last first", CUT_PIECES, 3141592653, ANSWER_LAST_FIRST},
    {"whole, answers shuffled, seed 2", CUT_WHOLE, 2, ANSWER_SHUFFLED},
    {"whole, answers shuffled, seed 161803", CUT_WHOLE, 161803, ANSWER_SHUFFLED},
    {"in pieces, answers shuffled, seed 57721566", CUT_PIECES, 57721566, ANSWER_SHUFFLED},
};

#define MODE_COUNT (sizeof modes / sizeof modes[0])

static void compare(struct play *play, const char *what, const struct text *first, const struct text *other)
{
        if (play->failure.length == 0 && !span_equals(text_span(first), text_span(other)))
                text_printf(&play->failure, "%s: what was %s differs from the first run", play->script->path,
                            what);
}

static void run(const char *path, struct tap *tap)
{
        static struct play first, other;
        struct script script;

        if (!script_read(path, &script)) {
                tap->is_good = false;
                return;
        }
        for (size_t i = 0; i < MODE_COUNT; i++) {
                struct play *play = i == 0 ? &first : &other;
                play_script(play, &script, tap->directory, modes[i].cutting, modes[i].seed,
                            modes[i].answering);
                compare(play, "said", &first.harness.said, &play->harness.said);
                compare(play, "logged", &first.harness.logged, &play->harness.logged);
                compare(play, "stored", &first.harness.stored, &play->harness.stored);
                tap_play(tap, play->failure.length == 0, &script, &play->failure, modes[i].name);
                if (play == &other)
                        play_end(&other);
        }
        play_end(&first);
        script_end(&script);
}

int main(int argc, char **argv)
{
        struct tap tap;

        tap_begin(&tap, (size_t)(argc - 1) * MODE_COUNT);
        tap_make_folder(&tap);
        for (int i = 1; i < argc; i++)
                run(argv[i], &tap);
        return tap_end(&tap);
}
