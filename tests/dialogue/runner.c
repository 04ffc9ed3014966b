/* Runs dialogue scripts: each one whole, octet by octet and in random pieces, and demands the same transcript
 * of all. TAP. */
#include "tests/dialogue/play.h"

#include "core/base/expect.h"

#include <ftw.h>
#include <unistd.h>

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

/* True when the script went well in every mode. */
static bool run(const char *path, const char *directory, unsigned *number)
{
        static struct play plays[MODE_COUNT];
        struct script script;
        bool good = true;

        if (!script_read(path, &script))
                return false;
        for (size_t i = 0; i < MODE_COUNT; i++) {
                struct play *play = &plays[i];
                play_script(play, &script, directory, modes[i].cutting, modes[i].seed, modes[i].answering);
                compare(play, "said", &plays[0].harness.said, &play->harness.said);
                compare(play, "logged", &plays[0].harness.logged, &play->harness.logged);
                compare(play, "stored", &plays[0].harness.stored, &play->harness.stored);
                printf("%sok %u - %s, %s\n", play->failure.length == 0 ? "" : "not ", ++*number, path,
                       modes[i].name);
                if (play->failure.length > 0)
                        printf("# %.*s\n", (int)play->failure.length, play->failure.at);
                good = good && play->failure.length == 0;
        }
        for (size_t i = 0; i < MODE_COUNT; i++)
                play_end(&plays[i]);
        script_end(&script);
        return good;
}

static int delete_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
        (void)status, (void)kind, (void)walk;
        return remove(path);
}

int main(int argc, char **argv)
{
        char directory[] = "/tmp/gatepost-dialogue.XXXXXX";
        unsigned number = 0;
        bool good = true;

        expect(mkdtemp(directory) != NULL);
        printf("TAP version 13\n1..%zu\n", (size_t)(argc - 1) * MODE_COUNT);
        for (int i = 1; i < argc; i++)
                good = run(argv[i], directory, &number) && good;
        nftw(directory, delete_entry, 8, FTW_DEPTH | FTW_PHYS);
        return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
