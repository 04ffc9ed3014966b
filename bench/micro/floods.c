/* Whole sessions of one client that says the same over and over, see floods.def. They cost what they would cost a
 * worker, its system calls apart: the text is scanned, cleared of claims, kept, and read as a notification. */
#include "bench/micro/cost.h"
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "tests/dialogue/harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define FLIGHT_OCTETS 65536 /* what a worker reads at once */

struct flood {
        const char *name;
        struct span head, unit;
};

#define LITERAL(string)                                                                                      \
        {                                                                                                    \
                string, sizeof(string) - 1                                                                   \
        }
#define TEXT(name, head, unit) {#name, LITERAL(head), LITERAL(unit)},
#define COMMANDS(name, head, unit)
static const struct flood texts[] = {
#include "bench/micro/floods.def"
};
#undef TEXT
#undef COMMANDS
#define TEXT(name, head, unit)
#define COMMANDS(name, head, unit) {#name, LITERAL(head), LITERAL(unit)},
static const struct flood sessions[] = {
#include "bench/micro/floods.def"
};
#undef TEXT
#undef COMMANDS

/* What others are compared with. */
static const struct flood plain = {
    "plain", LITERAL("Subject: plain\r\n\r\n"),
    LITERAL("The quick brown fox jumps over the lazy dog, and so on and so forth.\r\n")};

static char octets[COST_OCTETS_MAX];
static struct harness harness;

/* ---- configurations ------------------------------------------------------------------------------------ */

static const struct snapshot *snapshot_with(const char *newline)
{
        struct conf_complaints complaints = {0};
        int people = memfd_create("people", 0);
        char *text;

        expect(people >= 0 && write(people, "alice\n", 6) == 6);
        expect(
            asprintf(&text,
                     "hostname = \"mx.isp.example\"\n policy_url = \"https://policy.isp.example/\"\n"
                     "message_size_max = 4M\n syntax { bare_newline = %s }\n"
                     "dnsbl { mode = off }\n sender_tld { mode = off }\n sender_mx { mode = off }\n"
                     "spf { mode = off }\n helo_name { mode = off }\n"
                     "bounce_reference { mode = enforce  accept_text = yes }\n"
                     "domain \"isp.example\" { recipients = \"/proc/self/fd/%d\" deliver = \"discard:\" }\n"
                     "domain \"xn--bcher-kva.example\" { recipients = \"/proc/self/fd/%d\" deliver = "
                     "\"discard:\" }\n",
                     newline, people, people) > 0);
        struct snapshot *snapshot = snapshot_load_text(text, "/", &complaints);
        expect(snapshot != NULL);
        conf_complaints_end(&complaints);
        free(text);
        return snapshot;
}

/* ---- playing ------------------------------------------------------------------------------------------- */

static void connect(const struct snapshot *snapshot)
{
        harness_init(&harness, CUT_WHOLE, 1, ANSWER_AT_ONCE);
        harness.host.follow.active = 0; /* as nearly always: nobody follows */
        harness.snapshot = snapshot;
        expect(address_parse(SPAN("192.0.2.7"), &harness.peer.client));
        harness_connect(&harness);
        harness_send(&harness, SPAN("EHLO client.example\r\n"));
}

/* In flights, so that what is left over is not moved again and again. */
static void send_octets(struct span input)
{
        while (input.length > 0) {
                struct span flight =
                    span_of(input.at, input.length < FLIGHT_OCTETS ? input.length : FLIGHT_OCTETS);
                harness_send_flight(&harness, flight);
                input = span_skip(input, flight.length);
        }
}

/* Out of line, so that a profiler can count what it executes. */
static __attribute__((noinline)) void play_text(void)
{
        send_octets(span_of(octets, sizeof octets));
        harness_send(&harness, SPAN("\r\n.\r\n"));
}

static double text_ms(const struct snapshot *snapshot, const char *sender)
{
        char line[100];

        connect(snapshot);
        snprintf(line, sizeof line, "MAIL FROM:<%s>\r\n", sender);
        harness_send(&harness, span_from(line));
        harness_send(&harness, SPAN("RCPT TO:<alice@isp.example>\r\n"));
        harness_send(&harness, SPAN("DATA\r\n"));
        expect(harness.session.state == SESSION_STATE_TEXT);
        double begin = cost_cpu_ms();
        play_text();
        double took = cost_cpu_ms() - begin;
        harness_end(&harness);
        return took;
}

/* To the end of its line, if it has one. */
static struct span next_flight(struct span input)
{
        size_t most = input.length < FLIGHT_OCTETS ? input.length : FLIGHT_OCTETS;
        const char *end = memmem(input.at, most, "\r\n", 2);

        return span_of(input.at, end == NULL ? most : (size_t)(end - input.at) + 2);
}

/* Of one session: who is closed has to come again, which other limits are for. */
static double session_ms(const struct snapshot *snapshot)
{
        double begin = cost_cpu_ms();

        connect(snapshot);
        for (struct span input = span_of(octets, sizeof octets), flight; input.length > 0 && harness.is_open;
             input = span_skip(input, flight.length)) {
                flight = next_flight(input);
                harness_send_flight(&harness, flight);
                harness.said.length = harness.logged.length = 0;
        }
        harness_end(&harness);
        return cost_cpu_ms() - begin;
}

/* ---- the dearest --------------------------------------------------------------------------------------- */

/* As what a text comes. */
#define WAY_COUNT 4
static struct way {
        const char *name;
        const struct snapshot *snapshot;
        const char *sender;
} ways[WAY_COUNT];

static double plain_ms;
static int runs = COST_RUNS;

static double least_ms(const struct way *way, bool is_text)
{
        double least = 1e12;

        for (int i = 0; i < runs; i++) {
                double took = is_text ? text_ms(way->snapshot, way->sender) : session_ms(way->snapshot);
                least = took < least ? took : least;
        }
        return least;
}

static void fill(const struct flood *flood)
{
        memcpy(octets, flood->head.at, flood->head.length);
        for (size_t at = flood->head.length; at < sizeof octets; at++)
                octets[at] = flood->unit.at[(at - flood->head.length) % flood->unit.length];
}

static void make_ways(void)
{
        const struct snapshot *refusing = snapshot_with("refuse"), *mending = snapshot_with("normalise");

        ways[0] = (struct way){"mail", refusing, "news@client.example"};
        ways[1] = (struct way){"mail with bare LF", mending, "news@client.example"};
        ways[2] = (struct way){"notification", refusing, ""};
        ways[3] = (struct way){"notification with bare LF", mending, ""};
        fill(&plain);
        plain_ms = least_ms(&ways[0], true);
}

struct dearest {
        const char *name, *way;
        double ms, beyond_ms;
};

static void print(const char *kind, const struct dearest *flood)
{
        printf("%s %.3f ms beyond its octets, %.3f ms in all: %s, %s%s\n", kind, flood->beyond_ms, flood->ms,
               flood->name, flood->way, flood->beyond_ms > COST_GOAL_MS ? ", dearer than the goal" : "");
}

static void measure(const struct flood *flood, const struct way *way, bool is_text, struct dearest *dearest)
{
        fill(flood);
        double ms = least_ms(way, is_text), beyond_ms = is_text ? ms - plain_ms : ms;
        if (dearest->name == NULL || beyond_ms > dearest->beyond_ms)
                *dearest = (struct dearest){flood->name, is_text ? way->name : "commands", ms, beyond_ms};
}

static bool measure_all(const char *kind, const struct flood *floods, size_t count, bool is_text,
                        const struct cost_choice *choice)
{
        struct dearest dearest = {0};

        for (size_t i = 0; i < count; i++) {
                struct dearest own = {0};
                if (choice->flood != NULL && strcmp(choice->flood, floods[i].name) != 0)
                        continue;
                for (size_t way = is_text && choice->is_once ? WAY_COUNT - 1 : 0;
                     way < (is_text ? WAY_COUNT : 1); way++)
                        measure(&floods[i], &ways[way], is_text, &own);
                if (choice->is_verbose)
                        print(" ", &own);
                if (dearest.name == NULL || own.beyond_ms > dearest.beyond_ms)
                        dearest = own;
        }
        if (dearest.name != NULL)
                print(kind, &dearest);
        return dearest.beyond_ms <= COST_GOAL_MS;
}

bool cost_floods(const struct cost_choice *choice)
{
        runs = choice->is_once ? 1 : COST_RUNS;
        make_ways();
        if (choice->is_verbose)
                printf("  plain: %.3f ms\n", plain_ms);
        bool are_texts_good = measure_all("texts", texts, sizeof texts / sizeof texts[0], true, choice);
        return measure_all("sessions", sessions, sizeof sessions / sizeof sessions[0], false, choice) &&
               are_texts_good;
}
