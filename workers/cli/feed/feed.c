/* gatepost feed: reads the files of a feed as the server would, tells what is wrong with them, and answers from
 * them. */
#include "workers/cli/feed/feed.h"

#include "core/base/address.h"
#include "core/base/domain_name.h"
#include "core/check/dns/reverse.h"
#include "dns/clock.h"
#include "workers/cli/usage.h"
#include "workers/feed/files.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

#define WORDS_MAX 1000
#define LINE_SIZE 1024

const char feed_help[] =
    "usage: gatepost feed check [--format FORMAT] [--names] [--lenient] [--memory OCTETS] FILE "
    "[QUESTION|-]...\n\n"
    "Reads a feed, a list of a DNS zone in a file, and tells what is wrong with it. FILE may be a pattern "
    "(glob(7)).\n"
    "Each QUESTION, an address or what stands in front of the zone, is answered; - reads them from standard "
    "input.\n"
    "  --format FORMAT  as the option `format` of a zone; by default auto\n"
    "  --names          the feed lists domains\n"
    "  --lenient        however many lines are in error; else one in a hundred may be\n"
    "  --memory OCTETS  as the option `feed_memory_max`; by default any\n\n"
    "Exit status: 0; 1 the feed would not be taken; 2 wrong call.\n";

/* "192.0.2.1" is asked for as "1.2.0.192". */
static void put_name(struct text *name, struct span question)
{
        struct address address;

        if (address_parse(question, &address))
                reverse_put_address(name, &address);
        else if (span_is_ascii(question) || !domain_name_to_ascii(domain_name_without_dot(question), name))
                text_put_lower(name, domain_name_without_dot(question));
}

static void print_answer(struct span question, enum feed_type type, const struct feed_answer *answer)
{
        char octets[LINE_SIZE];
        struct text data;

        for (size_t i = 0; i < answer->count; i++) {
                text_over(&data, octets, sizeof octets);
                if (type == FEED_ADDRESSES)
                        address_write_ipv4(&data, (const uint8_t *)answer->records[i].at);
                else
                        text_put_printable(&data, answer->records[i], true);
                printf("%.*s %s %.*s\n", (int)question.length, question.at,
                       type == FEED_ADDRESSES ? "A" : "TXT", (int)data.length, data.at);
        }
}

static void answer(const struct feed *feed, struct span question)
{
        char octets[LINE_SIZE];
        struct text name;
        struct feed_answer found;

        text_over(&name, octets, sizeof octets);
        put_name(&name, question);
        if (!feed_find(feed, text_span(&name), FEED_ADDRESSES, &found))
                printf("%.*s is not listed\n", (int)question.length, question.at);
        print_answer(question, FEED_ADDRESSES, &found);
        feed_find(feed, text_span(&name), FEED_TEXTS, &found);
        print_answer(question, FEED_TEXTS, &found);
}

static void answer_input(const struct feed *feed)
{
        char line[LINE_SIZE];

        while (fgets(line, sizeof line, stdin) != NULL) {
                line[strcspn(line, "\n")] = '\0';
                if (line[0] != '\0')
                        answer(feed, span_from(line));
        }
}

static void print_report(const struct feed_report *report)
{
        for (size_t i = 0; i < report->told_count; i++)
                fprintf(stderr, "%s\n", report->told[i]);
        if (report->faults > report->told_count)
                fprintf(stderr, "... %" PRIu64 " lines are in error\n", report->faults);
}

static int check(const struct feed_wish *wish, const char *pattern, char **questions, int question_count)
{
        const struct text_list patterns = {.texts = &pattern, .count = 1};
        struct feed_report report;
        struct feed_stamp stamp;
        uint64_t began_ms = clock_monotonic_ms();
        struct feed *feed = feed_files_load(&patterns, wish, NULL, &report, &stamp);

        print_report(&report);
        if (feed == NULL) {
                fprintf(stderr, "gatepost: the feed would not be taken\n");
                return 1;
        }
        fprintf(stderr, "%" PRIu64 " entr%s of %" PRIu64 " file%s in %zu octets, read in %" PRIu64 " ms\n",
                feed_entries(feed), feed_entries(feed) == 1 ? "y" : "ies", stamp.files,
                stamp.files == 1 ? "" : "s", feed_octets(feed), clock_monotonic_ms() - began_ms);
        for (int i = 0; i < question_count; i++)
                if (strcmp(questions[i], "-") == 0)
                        answer_input(feed);
                else
                        answer(feed, span_from(questions[i]));
        feed_free(feed);
        return fflush(stdout) == 0 ? 0 : 1;
}

int feed_main(int argc, char **argv)
{
        const char *format = "auto", *memory = NULL;
        struct feed_wish wish = {.memory_max = SIZE_MAX, .now_s = clock_wall_s()};
        const struct usage_option options[] = {{"format", &format, NULL},
                                               {"names", NULL, &wish.lists_names},
                                               {"lenient", NULL, &wish.takes_faults},
                                               {"memory", &memory, NULL},
                                               {0}};
        uint64_t octets;

        if (!usage_read_options(feed_help, options, WORDS_MAX, argc, argv))
                return USAGE_STATUS;
        if (argc - optind < 2 || strcmp(argv[optind], "check") != 0)
                return usage_fault(feed_help, "feed: check and FILE are missing");
        if (!feed_format_parse(span_from(format), &wish.format))
                return usage_fault(feed_help, "feed: there is no format \"%s\"", format);
        if (memory != NULL && !span_number(span_from(memory), &octets))
                return usage_fault(feed_help, "feed: \"%s\" is no number of octets", memory);
        if (memory != NULL)
                wish.memory_max = (size_t)octets;
        return check(&wish, argv[optind + 1], argv + optind + 2, argc - optind - 2);
}
