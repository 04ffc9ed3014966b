/* Each hook of each check is called at its moment, as often as core/check/check.h says, and for nobody else. The
 * linker puts a function that counts before each one (-Wl,--wrap). */
#include "conf/build/load.h"
#include "core/base/expect.h"
#include "core/check/check.h"
#include "tests/dialogue/harness.h"

#include <criterion/criterion.h>
#include <sys/mman.h>
#include <unistd.h>

enum hook {
        DOES_PREPARE,
        DOES_COMMIT,
        DOES_WRITE_FIELD,
        DOES_TEXT_BEGIN,
        DOES_TEXT_READ, /* how often depends on how the text is cut: 1 stands for any number */
        DOES_TEXT_END,
        DOES_STORED,
        DOES_MARK_ZONES,
        DOES_LOG_RESULT,
        HOOK_COUNT
};

static const bool has_hook[CHECK_COUNT][HOOK_COUNT] = {
#define HOOK_PREPARE(check)     [CHECK_##check][DOES_PREPARE] = true,
#define HOOK_COMMIT(check)      [CHECK_##check][DOES_COMMIT] = true,
#define HOOK_STORED(check)      [CHECK_##check][DOES_STORED] = true,
#define HOOK_WRITE_FIELD(check) [CHECK_##check][DOES_WRITE_FIELD] = true,
#define HOOK_MARK_ZONES(check)  [CHECK_##check][DOES_MARK_ZONES] = true,
#define HOOK_LOG_RESULT(check)  [CHECK_##check][DOES_LOG_RESULT] = true,
#define HOOK_READ_TEXT(check)                                                                                \
        [CHECK_##check][DOES_TEXT_BEGIN] = true, [CHECK_##check][DOES_TEXT_READ] = true,                     \
        [CHECK_##check][DOES_TEXT_END] = true,
#include "core/check/checks.def"
};
static unsigned calls[CHECK_COUNT][HOOK_COUNT];
static bool is_over[CHECK_COUNT]; /* its reader wants no more of the text */

/* ---- counting ------------------------------------------------------------------------------------------ */

#define WRAP_EVENT(check, event, hook)                                                                       \
        void __real_##check##_##event(const struct facts *facts);                                            \
        void __wrap_##check##_##event(const struct facts *facts);                                            \
        void __wrap_##check##_##event(const struct facts *facts)                                             \
        {                                                                                                    \
                calls[CHECK_##check][hook]++;                                                                \
                __real_##check##_##event(facts);                                                             \
        }
#define HOOK_PREPARE(check) WRAP_EVENT(check, prepare, DOES_PREPARE)
#define HOOK_COMMIT(check)  WRAP_EVENT(check, commit, DOES_COMMIT)
#define HOOK_STORED(check)  WRAP_EVENT(check, stored, DOES_STORED)
#define HOOK_WRITE_FIELD(check)                                                                              \
        void __real_##check##_write_field(const struct facts *facts, struct text *field);                    \
        void __wrap_##check##_write_field(const struct facts *facts, struct text *field);                    \
        void __wrap_##check##_write_field(const struct facts *facts, struct text *field)                     \
        {                                                                                                    \
                calls[CHECK_##check][DOES_WRITE_FIELD]++;                                                    \
                __real_##check##_write_field(facts, field);                                                  \
        }
#define HOOK_MARK_ZONES(check)                                                                               \
        struct zone_marks __real_##check##_mark_zones(const struct facts *facts);                            \
        struct zone_marks __wrap_##check##_mark_zones(const struct facts *facts);                            \
        struct zone_marks __wrap_##check##_mark_zones(const struct facts *facts)                             \
        {                                                                                                    \
                calls[CHECK_##check][DOES_MARK_ZONES]++;                                                     \
                return __real_##check##_mark_zones(facts);                                                   \
        }
#define HOOK_LOG_RESULT(check)                                                                               \
        struct span __real_##check##_log_result(const struct facts *facts);                                  \
        struct span __wrap_##check##_log_result(const struct facts *facts);                                  \
        struct span __wrap_##check##_log_result(const struct facts *facts)                                   \
        {                                                                                                    \
                calls[CHECK_##check][DOES_LOG_RESULT]++;                                                     \
                return __real_##check##_log_result(facts);                                                   \
        }
#define HOOK_READ_TEXT(check)                                                                                \
        bool __real_##check##_text_begin(const struct facts *facts);                                         \
        bool __wrap_##check##_text_begin(const struct facts *facts);                                         \
        bool __wrap_##check##_text_begin(const struct facts *facts)                                          \
        {                                                                                                    \
                calls[CHECK_##check][DOES_TEXT_BEGIN]++;                                                     \
                is_over[CHECK_##check] = !__real_##check##_text_begin(facts);                                \
                return !is_over[CHECK_##check];                                                              \
        }                                                                                                    \
        bool __real_##check##_text_read(const struct facts *facts, struct span octets);                      \
        bool __wrap_##check##_text_read(const struct facts *facts, struct span octets);                      \
        bool __wrap_##check##_text_read(const struct facts *facts, struct span octets)                       \
        {                                                                                                    \
                cr_assert_not(is_over[CHECK_##check], #check);                                               \
                calls[CHECK_##check][DOES_TEXT_READ] = 1;                                                    \
                is_over[CHECK_##check] = !__real_##check##_text_read(facts, octets);                         \
                return !is_over[CHECK_##check];                                                              \
        }                                                                                                    \
        void __real_##check##_text_end(const struct facts *facts);                                           \
        void __wrap_##check##_text_end(const struct facts *facts);                                           \
        void __wrap_##check##_text_end(const struct facts *facts)                                            \
        {                                                                                                    \
                cr_assert_not(is_over[CHECK_##check], #check);                                               \
                calls[CHECK_##check][DOES_TEXT_END]++;                                                       \
                is_over[CHECK_##check] = true;                                                               \
                __real_##check##_text_end(facts);                                                            \
        }
#include "core/check/checks.def"

/* ---- playing ------------------------------------------------------------------------------------------- */

struct session_case {
        const char *what;
        const char *lines; /* what the client says, \n for CRLF */
        unsigned expected[HOOK_COUNT];
        const char *mode,
            *domain_mode; /* of all checks, of all for second.example; NULL: observe, the same */
        const char *more; /* configuration; NULL: none */
        enum store_outcome outcome;
        bool is_dropped;      /* the client does not say QUIT */
        bool is_never_parked; /* no command waits: answers that come late are missed */
};

#define HELLO "EHLO client.example.com\n"
/* A header without a body: readers want it to its end. */
#define NOTIFICATION(recipients) "MAIL FROM:<>\n" recipients "DATA\nSubject: x\n.\n"
#define ALICE                    "RCPT TO:<alice@isp.example>\n"
#define BOB                      "RCPT TO:<bob@isp.example>\n"
#define MAIL                     "MAIL FROM:<carol@example.com>\n"
#define SECOND                   "RCPT TO:<alice@second.example>\n"
#define POSTMASTER               "RCPT TO:<postmaster@isp.example>\n"

/* prepare commit write_field text_begin text_read text_end stored mark_zones log_result */
static const struct session_case cases[] = {
    {"one message", HELLO NOTIFICATION(ALICE), {1, 1, 1, 1, 1, 1, 1, 1, 1}, .mode = "observe"},
    {"two messages",
     HELLO NOTIFICATION(ALICE) NOTIFICATION(BOB),
     {1, 2, 2, 2, 1, 2, 2, 1, 2},
     .mode = "observe"},
    {"two recipients", HELLO NOTIFICATION(ALICE BOB), {1, 2, 1, 1, 1, 1, 1, 1, 1}, .mode = "observe"},
    {"a trusted client",
     HELLO NOTIFICATION(ALICE),
     {0},
     .mode = "observe",
     .more = "trusted_networks = {\"192.0.2.7\"}"},
    {"all checks off", HELLO NOTIFICATION(ALICE), {0}, .mode = "off", .domain_mode = "off"},
    {"off for the domain",
     HELLO NOTIFICATION(SECOND),
     {1, 0, 1, 0, 0, 0, 1, 1, 1},
     .mode = "observe",
     .domain_mode = "off",
     .is_never_parked = true},
    {"on for the domain",
     HELLO NOTIFICATION(SECOND),
     {1, 1, 1, 1, 1, 1, 1, 1, 1},
     .mode = "off",
     .domain_mode = "observe"},
    {"on for one of two",
     HELLO NOTIFICATION(SECOND ALICE),
     {1, 1, 1, 1, 1, 1, 1, 1, 1},
     .mode = "off",
     .domain_mode = "observe"},
    {"postmaster alone",
     HELLO NOTIFICATION(POSTMASTER),
     {1, 0, 0, 0, 0, 0, 1, 1, 1},
     .mode = "observe",
     .is_never_parked = true},
    {"all refused",
     "HELO unqualified\n" MAIL ALICE BOB "DATA\n",
     {1, 0, 0, 0, 0, 0, 0, 1, 0},
     .mode = "enforce",
     .is_never_parked = true},
    {"not stored",
     HELLO NOTIFICATION(ALICE),
     {1, 1, 1, 1, 1, 1, 0, 1, 1},
     .mode = "observe",
     .outcome = STORE_FAILED},
    {"gone in the text",
     HELLO "MAIL FROM:<>\n" ALICE "DATA\nSubject: x\n",
     {1, 1, 1, 1, 1, 0, 0, 1, 1},
     .mode = "observe",
     .is_dropped = true},
    {"gone at once",
     "",
     {1, 0, 0, 0, 0, 0, 0, 1, 0},
     .mode = "observe",
     .is_dropped = true,
     .is_never_parked = true},
};

static struct harness harness;

static void put_modes(struct text *text, const char *mode)
{
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                if (check_infos[check].kind == CHECK_KIND_PURE)
                        text_printf(text, "%s { mode = %s }\n", check_infos[check].name, mode);
}

static struct snapshot *configure(const struct session_case *test)
{
        char octets[4096];
        struct text text;
        struct conf_complaints complaints = {0};
        int people = memfd_create("people", MFD_CLOEXEC);

        cr_assert_eq(write(people, "alice\nbob\n", 10), 10);
        text_over(&text, octets, sizeof octets - 1);
        text_printf(&text,
                    "hostname = \"mx.isp.example\"\n resolvers = {\"127.0.0.1:53\"}\n"
                    "sender_store = \"lmdb:/nowhere\"\n %s\n"
                    "domain \"isp.example\" { recipients = \"/proc/self/fd/%d\" deliver = \"discard:\" }\n"
                    "domain \"second.example\" { recipients = \"/proc/self/fd/%d\" deliver = \"discard:\"\n",
                    test->more == NULL ? "" : test->more, people, people);
        if (test->domain_mode != NULL)
                put_modes(&text, test->domain_mode);
        text_put_string(&text, "}\n");
        put_modes(&text, test->mode);
        octets[text.length] = '\0';
        struct snapshot *snapshot = snapshot_load_text(octets, "/", &complaints);
        close(people);
        cr_assert(snapshot != NULL, "%s: %s", test->what, complaints.text);
        conf_complaints_end(&complaints);
        return snapshot;
}

static void play(const struct session_case *test)
{
        for (const char *line = test->lines; *line != '\0';) {
                size_t length = strcspn(line, "\n");
                harness_send(&harness, span_of(line, length));
                harness_send(&harness, SPAN("\r\n"));
                line += length + 1;
        }
        if (!test->is_dropped)
                harness_send(&harness, SPAN("QUIT\r\n"));
        harness_drop(&harness);
}

static void run(const struct session_case *test, enum cutting cutting, enum answering answering)
{
        struct snapshot *snapshot = configure(test);
        unsigned expected[HOOK_COUNT];

        memcpy(expected, test->expected, sizeof expected);
        if (test->is_never_parked && answering != ANSWER_AT_ONCE)
                expected[DOES_MARK_ZONES] = 0;
        memset(calls, 0, sizeof calls);
        harness_init(&harness, cutting, 1, answering);
        expect(scripted_dns_add(&harness.dns, SPAN("7.2.0.192.zen.spamhaus.org A 127.0.0.2")));
        expect(address_parse(SPAN("192.0.2.7"), &harness.peer.client));
        harness.snapshot = snapshot;
        harness.store_outcome = test->outcome;
        harness_connect(&harness);
        play(test);
        for (enum check_id check = 0; check < CHECK_COUNT; check++)
                for (enum hook hook = 0; hook < HOOK_COUNT; hook++)
                        cr_expect_eq(calls[check][hook], has_hook[check][hook] ? expected[hook] : 0,
                                     "%s: %s, hook %d: %u calls", test->what, check_infos[check].name,
                                     (int)hook, calls[check][hook]);
        /* Two checks mark the same zones, and they count once. */
        cr_expect_eq(counter_read(&harness.counters.zone_asked[0]), expected[DOES_MARK_ZONES], "%s",
                     test->what);
        cr_expect_eq(counter_read(&harness.counters.zone_listed[0]), expected[DOES_MARK_ZONES], "%s",
                     test->what);
        harness_end(&harness);
        snapshot_free(snapshot);
}

/* However the octets come, and with answers at once or with commands parked for each of them. */
Test(hooks, moments)
{
        for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
                run(&cases[i], CUT_WHOLE, ANSWER_AT_ONCE);
                run(&cases[i], CUT_OCTETS, ANSWER_LAST_FIRST);
        }
}
