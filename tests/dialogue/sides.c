/* No rung of the ladder of load changes a verdict's side, nor does it when checks are measured: plays each script
 * without either, on each rung, and measured, and demands that no recipient is taken there whom the policy refuses, and
 * none refused who is taken. Deferrals are allowed. TAP. */
#include "tests/dialogue/play.h"
#include "tests/dialogue/tap.h"

#include <jansson.h>

static const struct {
        enum rung rung;
        enum knowing knowing;
        const char *name;
        bool is_measured;
} loads[] = {
    {RUNG_ease, KNOWS_ALL, "measured", true},
    {RUNG_cached, KNOWS_HALF, "measured, half in the cache", true},
    {RUNG_hurry, KNOWS_ALL, "hurry", false},
    {RUNG_terse, KNOWS_ALL, "terse", false},
    {RUNG_terse, KNOWS_HALF, "terse, half in the cache", false},
    {RUNG_turn, KNOWS_HALF, "turn", false},
    {RUNG_cached, KNOWS_ALL, "cached, all in the cache", false},
    {RUNG_cached, KNOWS_HALF, "cached, half in the cache", false},
    {RUNG_cached, KNOWS_ANSWERED, "cached, nothing in the cache", false},
    {RUNG_known, KNOWS_HALF, "known", false},
};

#define LOAD_COUNT (sizeof loads / sizeof loads[0])

/* Of how many recipients we know what became of them, on all rungs; and of how many under load as without it. */
static size_t compared, as_before;

/* What a recipient got in the end: the text's answer, where there was one. */
static char side_of(const json_t *transaction, const json_t *recipient)
{
        const char *code = json_string_value(json_object_get(recipient, "code"));
        const char *final = json_string_value(json_object_get(transaction, "code"));

        if (code == NULL)
                return '\0';
        return code[0] == '2' && final != NULL ? final[0] : code[0];
}

static void add_line(json_t *sides, const char *client, const json_t *line)
{
        const json_t *transactions = json_object_get(line, "transactions");

        for (size_t i = 0; i < json_array_size(transactions); i++) {
                const json_t *transaction = json_array_get(transactions, i);
                const json_t *recipients = json_object_get(transaction, "rcpts");
                const char *from = json_string_value(json_object_get(transaction, "from"));
                for (size_t j = 0; j < json_array_size(recipients); j++) {
                        const json_t *recipient = json_array_get(recipients, j);
                        char key[4096], side[2] = {side_of(transaction, recipient)};
                        snprintf(key, sizeof key, "%s <%s> <%s>", client, from == NULL ? "" : from,
                                 json_string_value(json_object_get(recipient, "to")));
                        const char *before = json_string_value(json_object_get(sides, key));
                        /* Who got different answers has no side. */
                        json_object_set_new(
                            sides, key,
                            json_string(before != NULL && strcmp(before, side) != 0 ? "4" : side));
                }
        }
}

/* By client, sender and recipient. */
static json_t *sides_of(const struct play *play)
{
        struct span rest = text_span(&play->harness.logged);
        json_t *sides = json_object();

        while (rest.length > 0) {
                struct span line = span_take_line(&rest, SPAN("\n"));
                json_t *object = json_loadb(line.at, line.length, 0, NULL);
                const char *client = json_string_value(json_object_get(object, "client"));
                if (client != NULL)
                        add_line(sides, client, object);
                json_decref(object);
        }
        return sides;
}

static bool keep_their_sides(const json_t *without, json_t *under)
{
        const char *key;
        json_t *value;
        bool good = true;

        json_object_foreach(under, key, value)
        {
                const char *before = json_string_value(json_object_get(without, key));
                const char *now = json_string_value(value);
                if (before == NULL || before[0] == '4')
                        continue;
                compared++;
                as_before += before[0] == now[0];
                if (now[0] == '4' || now[0] == before[0])
                        continue;
                printf("# %s: %sxx without load, %sxx under it\n", key, before, now);
                good = false;
        }
        return good;
}

static void run(const char *path, struct tap *tap)
{
        static struct play play;
        struct script script;

        if (!script_read(path, &script)) {
                tap->is_good = false;
                return;
        }
        play_mute(&play, &script, tap->directory, RUNG_ease, KNOWS_ALL, false);
        json_t *without = sides_of(&play);
        play_end(&play);
        for (size_t i = 0; i < LOAD_COUNT; i++) {
                play_mute(&play, &script, tap->directory, loads[i].rung, loads[i].knowing,
                          loads[i].is_measured);
                json_t *under = sides_of(&play);
                bool is_good = play.failure.length == 0 && keep_their_sides(without, under);
                tap_play(tap, is_good, &script, &play.failure, loads[i].name);
                json_decref(under);
                play_end(&play);
        }
        json_decref(without);
        script_end(&script);
}

int main(int argc, char **argv)
{
        struct tap tap;
        char name[128];

        tap_begin(&tap, (size_t)(argc - 1) * LOAD_COUNT + 1);
        tap_make_folder(&tap);
        for (int i = 1; i < argc; i++)
                run(argv[i], &tap);
        snprintf(name, sizeof name, "of %zu recipients %zu had the same verdict, and the others a deferral",
                 compared, as_before);
        /* Else nothing has been shown. */
        tap_test(&tap, compared > 0 && as_before > compared / 4, name);
        return tap_end(&tap);
}
