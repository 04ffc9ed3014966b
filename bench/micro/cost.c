/* gatepost-cost-bench [-v] [-p] [-o FLOOD] [FOLDER...]: the dearest text and session of floods.def (or that one
 * alone), and the dearest input of each fuzzer's corpus, FOLDER/NAME or (as tests/fuzz/run leaves them)
 * FOLDER/corpus-NAME; -v shows every input, and -p plays each text but once, as a notification with bare LF, for a
 * profiler. Cost is CPU, the least of several runs; of a corpus that of the fuzzer's harness, for each time that the
 * harness plays its input. Beyond its octets: less what as many octets of plain lines cost. One line for each corpus;
 * exit 1 when an input is dearer than the goal. */
#include "bench/micro/cost.h"
#include "core/base/expect.h"

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INPUT_MAX (1u << 22)

/* How often the harness plays its input, and to how many octets an input is repeated, to see whether its cost grows
 * faster than it does; 0: it is taken only as it is. Texts are played to the
 * naive reader, too. */
#define FUZZERS                                                                                              \
        FUZZER(command, 1, 0)                                                                                \
        FUZZER(config, 1, 0)                                                                                 \
        FUZZER(dns, 1, 0)                                                                                    \
        FUZZER(hop, 3, 0)                                                                                    \
        FUZZER(mime, 2, COST_OCTETS_MAX)                                                                     \
        FUZZER(redis, 2, 0)                                                                                  \
        FUZZER(session, 2, 0)                                                                                \
        FUZZER(spf, 2, 0)                                                                                    \
        FUZZER(text, 2, COST_OCTETS_MAX)

/* Each is LLVMFuzzerTestOneInput() of tests/fuzz/fuzz_NAME.c, compiled under this name. */
#define FUZZER(name, plays, repeated) int fuzz_##name(const uint8_t *octets, size_t length);
FUZZERS
#undef FUZZER

static const struct fuzzer {
        const char *name;
        int (*run)(const uint8_t *octets, size_t length);
        unsigned plays;
        size_t repeated;
} fuzzers[] = {
#define FUZZER(name, plays, repeated) {#name, fuzz_##name, plays, repeated},
    FUZZERS
#undef FUZZER
};

struct cost {
        char name[256];
        size_t octets;
        double ms, beyond_ms;
};

static uint8_t input[INPUT_MAX], plain[INPUT_MAX];
static bool is_verbose;

/* ---- cost ---------------------------------------------------------------------------------------------- */

double cost_cpu_ms(void)
{
        struct timespec now;
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static double run_ms(const struct fuzzer *fuzzer, const uint8_t *octets, size_t length)
{
        double least = 1e12;

        for (int i = 0; i < COST_RUNS; i++) {
                double begin = cost_cpu_ms();
                fuzzer->run(octets, length);
                double took = cost_cpu_ms() - begin;
                least = took < least ? took : least;
        }
        return least / fuzzer->plays;
}

static void plain_fill(void)
{
        static const char line[] = "The quick brown fox jumps over the lazy dog, and so on and so forth.\r\n";
        for (size_t i = 0; i < sizeof plain; i++)
                plain[i] = (uint8_t)line[i % (sizeof line - 1)];
}

static void measure(const struct fuzzer *fuzzer, const char *name, size_t length, struct cost *dearest)
{
        struct cost cost = {.octets = length, .ms = run_ms(fuzzer, input, length)};

        cost.beyond_ms = cost.ms - run_ms(fuzzer, plain, length);
        snprintf(cost.name, sizeof cost.name, "%s", name);
        if (is_verbose)
                printf("  %s %s: %.3f ms, %zu octets, %.3f ms beyond them\n", fuzzer->name, name, cost.ms,
                       length, cost.beyond_ms);
        if (dearest->name[0] == '\0' || cost.beyond_ms > dearest->beyond_ms)
                *dearest = cost;
}

/* ---- corpora ------------------------------------------------------------------------------------------- */

static size_t input_read(const char *path)
{
        FILE *file = fopen(path, "rbe");
        expect(file != NULL);
        size_t length = fread(input, 1, sizeof input, file);
        fclose(file);
        return length;
}

/* As a whole, but for the first octet, by which fuzzers choose. */
static size_t input_repeat(size_t length, size_t octets)
{
        for (size_t i = length; i < octets; i++)
                input[i] = input[1 + (i - 1) % (length - 1)];
        return octets;
}

static void measure_file(const struct fuzzer *fuzzer, const char *folder, const char *name,
                         struct cost *dearest)
{
        char path[4096], repeated[300];

        expect(snprintf(path, sizeof path, "%s/%s", folder, name) < (int)sizeof path);
        size_t length = input_read(path);
        measure(fuzzer, name, length, dearest);
        if (length < 2 || length >= fuzzer->repeated)
                return;
        snprintf(repeated, sizeof repeated, "%s, repeated", name);
        measure(fuzzer, repeated, input_repeat(length, fuzzer->repeated), dearest);
}

static unsigned measure_folder(const struct fuzzer *fuzzer, const char *folder, struct cost *dearest)
{
        const struct dirent *entry;
        DIR *stream = opendir(folder);
        unsigned count = 0;

        if (stream == NULL)
                return 0;
        for (; (entry = readdir(stream)) != NULL; count += entry->d_name[0] != '.')
                if (entry->d_name[0] != '.')
                        measure_file(fuzzer, folder, entry->d_name, dearest);
        closedir(stream);
        return count;
}

/* False when an input is dearer than the goal. */
static bool measure_corpus(const struct fuzzer *fuzzer, char **folders, int folder_count)
{
        struct cost dearest = {0};
        unsigned count = 0;
        char path[4096];

        for (int i = 0; i < 2 * folder_count; i++) {
                const char *separator = i % 2 == 0 ? "/" : "/corpus-";
                expect(snprintf(path, sizeof path, "%s%s%s", folders[i / 2], separator, fuzzer->name) <
                       (int)sizeof path);
                count += measure_folder(fuzzer, path, &dearest);
        }
        if (count == 0)
                return true;
        bool is_good = dearest.beyond_ms <= COST_GOAL_MS;
        printf("%s %.3f ms beyond its %zu octets, %.3f ms in all, of %u inputs: %s%s\n", fuzzer->name,
               dearest.beyond_ms, dearest.octets, dearest.ms, count, dearest.name,
               is_good ? "" : ", dearer than the goal");
        return is_good;
}

int main(int argc, char **argv)
{
        struct cost_choice choice = {0};
        bool is_good = true;
        int option;

        while ((option = getopt(argc, argv, "vpo:")) != -1) {
                if (option == '?')
                        return 2;
                choice.is_verbose = is_verbose = is_verbose || option == 'v';
                choice.is_once = choice.is_once || option == 'p';
                choice.flood = option == 'o' ? optarg : choice.flood;
        }
        plain_fill();
        for (size_t i = 0; i < sizeof fuzzers / sizeof fuzzers[0]; i++)
                is_good = measure_corpus(&fuzzers[i], argv + optind, argc - optind) && is_good;
        return cost_floods(&choice) && is_good ? 0 : 1;
}
