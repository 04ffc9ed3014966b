/* Reads the facts of each session, plays it again, and counts what would be another. */
#include "workers/cli/replay/replay.h"

#include "workers/cli/files/log_files.h"
#include "workers/cli/files/same.h"
#include "workers/cli/replay/result.h"
#include "workers/cli/shared/loaded.h"
#include "workers/cli/shared/revealer.h"
#include "workers/cli/usage.h"
#include "workers/log/line.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <urcu/urcu-memb.h>

const char replay_help[] =
    "usage: gatepost replay -c NEW [--json] [--csv FILE|-] [LOG]...\n\n"
    "Judges the sessions of a log once more, by the configuration NEW, and tells which answers would be "
    "others.\n"
    "It can do so for sessions whose line has facts, which the option log_facts makes; nothing is asked of "
    "DNS.\n"
    "LOG may be compressed by gzip. Without LOG it is the log of NEW, with what rotations have made of it.\n"
    "  --json      prints it as JSON\n"
    "  --csv FILE  writes it as CSV, - to standard output in the place of words\n\n"
    "Exit status: 0; 1 NEW is wrong, or a log cannot be read; 2 wrong call.\n";

struct replay {
        const char *configuration, *csv;
        bool as_json;
        struct loaded loaded;
        struct revealer revealer;
        struct rehearsal *rehearsal;
        struct block_pool pool;
        struct replay_result result;
        bool shows_progress;
};

/* ---- one session --------------------------------------------------------------------------------------- */

/* False when they are no facts of ours. */
static bool judge(struct replay *replay, struct span facts)
{
        struct taped live;
        struct arena arena;

        arena_init(&arena, &replay->pool, REHEARSAL_ARENA_MAX);
        bool is_read = taped_read(facts, &arena, &live);
        if (is_read && rehearsal_play(replay->rehearsal, &live))
                rehearsal_count(replay->rehearsal, &live, &arena);
        arena_end(&arena);
        return is_read;
}

/* ---- lines --------------------------------------------------------------------------------------------- */

/* Quotes in what strangers have said are escaped, so that no such text looks like a field. */
static bool find_facts(const char *line, struct span *ret_facts)
{
        static const char key[] = ",\"facts\":\"";
        const char *start = strstr(line, key);
        const char *end = start == NULL ? NULL : strchr(start + sizeof key - 1, '"');

        if (start == NULL)
                return false;
        start += sizeof key - 1;
        *ret_facts = span_of(start, end == NULL ? 0 : (size_t)(end - start));
        return true;
}

static void look_at_line(void *context, const char *line)
{
        struct replay *replay = context;
        struct replay_result *result = &replay->result;
        size_t length = strlen(line);
        struct span facts;

        if (!span_equals(log_line_event(span_of(line, length)), SPAN("session")))
                return;
        result->sessions += strstr(line, ",\"end\":\"") != NULL;
        result->cut += strstr(line, ",\"facts_cut\":true") != NULL;
        if (!find_facts(line, &facts))
                return;
        result->with_facts++;
        if (facts.length > 0 && facts.at[0] == '~')
                (void)find_facts(revealer_line(&replay->revealer, line), &facts);
        if (facts.length > 0 && facts.at[0] == '~')
                result->hidden++;
        else
                result->damaged += !judge(replay, facts);
}

/* ---- files --------------------------------------------------------------------------------------------- */

static bool read_file(struct replay *replay, const struct log_file *file)
{
        return log_file_read(file, replay->shows_progress, look_at_line, replay) == LOG_FILE_WHOLE;
}

static bool read_named(struct replay *replay, char **paths, int count)
{
        bool is_good = true;

        for (int i = 0; i < count; i++)
                if (!is_same_file_before(paths, i))
                        is_good &= read_file(replay, &(struct log_file){.path = paths[i]});
        return is_good;
}

static bool read_configured(struct replay *replay)
{
        struct log_files files;
        bool is_good = log_files_configured(&files, replay->loaded.snapshot->options.log);

        for (size_t i = files.count; i > 0; i--)
                is_good &= read_file(replay, &files.files[i - 1]);
        log_files_end(&files);
        return is_good;
}

/* ---- all ----------------------------------------------------------------------------------------------- */

static bool tell(struct replay *replay)
{
        bool is_written = replay->csv == NULL || result_write_csv(&replay->result, replay->csv);

        if (replay->as_json)
                result_print_json(&replay->result);
        else if (replay->csv == NULL || strcmp(replay->csv, "-") != 0)
                result_print(&replay->result);
        return is_written && fflush(stdout) == 0;
}

static bool run(struct replay *replay, char **paths, int count)
{
        replay->shows_progress = isatty(STDERR_FILENO) == 1;
        replay->result.configuration = replay->configuration;
        revealer_begin(&replay->revealer, replay->loaded.snapshot->options.log_pseudonym_key_file);
        urcu_memb_register_thread();
        bool is_good = count > 0 ? read_named(replay, paths, count) : read_configured(replay);
        urcu_memb_unregister_thread();
        revealer_end(&replay->revealer);
        if (replay->result.sessions > 0 && replay->result.with_facts == 0)
                fputs("gatepost: no session has facts: the option log_facts says of how many the log has "
                      "them\n",
                      stderr);
        return tell(replay) && is_good;
}

static int start(struct replay *replay, char **paths, int count)
{
        int status = 1;

        if (!loaded_begin(&replay->loaded, replay->configuration))
                return 1;
        replay->rehearsal = rehearsal_create(replay->loaded.snapshot);
        if (replay->rehearsal == NULL) {
                fputs("gatepost: out of memory\n", stderr);
        } else {
                replay->result.of = &replay->rehearsal->result;
                block_pool_init(&replay->pool, 16384, 16);
                status = run(replay, paths, count) ? 0 : 1;
                block_pool_end(&replay->pool);
        }
        rehearsal_destroy(replay->rehearsal);
        loaded_end(&replay->loaded);
        return status;
}

int replay_main(int argc, char **argv)
{
        static struct replay replay;
        const struct usage_option options[] = {{"config", &replay.configuration, NULL},
                                               {"csv", &replay.csv, NULL},
                                               {"json", NULL, &replay.as_json},
                                               {0}};

        if (!usage_read_options(replay_help, options, INT_MAX, argc, argv))
                return USAGE_STATUS;
        if (replay.configuration == NULL)
                return usage_fault(replay_help, "replay: -c NEW is missing");
        if (replay.as_json && replay.csv != NULL && strcmp(replay.csv, "-") == 0)
                return usage_fault(replay_help, "replay: standard output is for one of --json and --csv -");
        return start(&replay, argv + optind, argc - optind);
}
