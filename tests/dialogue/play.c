/* The directives of a script and what they mean. */
#include "conf/build/load.h"
#include "tests/dialogue/play.h"

#include "core/base/expect.h"

#include <jansson.h>

static const char default_configuration[] =
    "hostname = \"mx.isp.example\"\n"
    "domain \"isp.example\" { recipients = \"recipients\" deliver = \"discard:\" }\n";

struct tape_sink *play_sink;

/* ---- set-up */

static void write_file(struct play *play, const struct step *step, struct span name, struct span octets)
{
        char path[512];
        snprintf(path, sizeof path, "%s/%.*s", play->directory, (int)name.length, name.at);
        FILE *file = fopen(path, "w");
        if (file == NULL || fwrite(octets.at, 1, octets.length, file) != octets.length)
                play_fail(play, step, "cannot write %s", path);
        if (file != NULL)
                fclose(file);
}

static void play_file(struct play *play, const struct step *step)
{
        write_file(play, step, step->argument, step->body);
}

static void configure(struct play *play, const struct step *step, const char *base, struct span more)
{
        struct conf_complaints complaints = {0};
        char *text;

        expect(asprintf(&text, "%s%.*s", base, (int)more.length, more.at) >= 0);
        struct snapshot *snapshot = snapshot_load_text(text, play->directory, &complaints);
        if (snapshot == NULL || play->snapshot_count == SNAPSHOTS_MAX)
                play_fail(play, step, "configuration: %s", complaints.text);
        else
                play->harness.snapshot = play->snapshots[play->snapshot_count++] = snapshot;
        conf_complaints_end(&complaints);
        free(text);
}

static void play_conf(struct play *play, const struct step *step)
{
        bool is_alone = span_equals(step->argument, SPAN("alone"));
        configure(play, step, is_alone ? "" : default_configuration, step->body);
}

static void play_client(struct play *play, const struct step *step)
{
        struct span port = step->argument;
        struct span address = span_take_line(&port, SPAN(" "));
        uint64_t number = 40000;

        if (!address_parse(address, &play->harness.peer.client) ||
            (port.length > 0 && !span_number(port, &number)))
                play_fail(play, step, "expected an address and maybe a port");
        play->harness.peer.client_port = (uint16_t)number;
}

static void play_elsewhere(struct play *play, const struct step *step)
{
        struct address client;

        if (address_parse(step->argument, &client) && play->harness.snapshot != NULL)
                harness_seat(&play->harness, &client, &play->harness.snapshot->options);
        else
                play_fail(play, step, "expected an address");
}

static void play_listener(struct play *play, const struct step *step)
{
        play->harness.peer.needs_proxy_header = span_equals(step->argument, SPAN("proxy"));
}

/* ---- what the world does */

static void play_connect(struct play *play, const struct step *step)
{
        if (play->harness.is_open)
                play_fail(play, step, "a session is open");
        else
                harness_connect(&play->harness);
}

static void play_line(struct play *play, const struct step *step)
{
        (void)step;
        text_put(&play->flight, step->argument);
        text_put(&play->flight, SPAN("\r\n"));
}

static void play_octets(struct play *play, const struct step *step)
{
        if (!text_put_unescaped(&play->flight, step->argument))
                play_fail(play, step, "bad escape");
}

static void send_flight(struct play *play)
{
        harness_send(&play->harness, text_span(&play->flight));
        play->flight.length = 0;
}

static void play_command(struct play *play, const struct step *step)
{
        play_line(play, step);
        send_flight(play);
}

static void play_repeat(struct play *play, const struct step *step)
{
        struct span rest = step->argument;
        uint64_t times;

        if (!span_number(span_take_line(&rest, SPAN(" ")), &times))
                play_fail(play, step, "expected a number and octets");
        for (uint64_t i = 0; i < times && play->failure.length == 0; i++)
                if (!text_put_unescaped(&play->flight, rest))
                        play_fail(play, step, "bad escape");
}

static void play_flight(struct play *play, const struct step *step)
{
        play_octets(play, step);
        harness_send_flight(&play->harness, text_span(&play->flight));
        play->flight.length = 0;
}

static void play_time(struct play *play, const struct step *step)
{
        static const struct {
                const char *unit;
                uint64_t milliseconds;
        } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
        char *unit;
        uint64_t number = strtoull(step->argument.at, &unit, 10);
        struct span rest = span_of(unit, (size_t)(step->argument.at + step->argument.length - unit));

        for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
                if (span_equals(rest, span_from(units[i].unit))) {
                        harness_pass_time(&play->harness, number * units[i].milliseconds);
                        return;
                }
        play_fail(play, step, "expected a time such as +5m");
}

static void play_stop(struct play *play, const struct step *step)
{
        if (span_equals(step->argument, SPAN("now"))) {
                harness_forsake(&play->harness);
                return;
        }
        harness_stop(&play->harness,
                     span_equals(step->argument, SPAN("all")) ? HARNESS_STOPS_AT_ONCE : HARNESS_STOPS);
}

static void play_outdated(struct play *play, const struct step *step)
{
        harness_outdate(&play->harness, span_equals(step->argument, SPAN("at once")));
}

static void play_early(struct play *play, const struct step *step)
{
        (void)step;
        session_note_early_input(&play->harness.session);
}

static void play_drop(struct play *play, const struct step *step)
{
        (void)step;
        harness_drop(&play->harness);
}

/* ---- the table */

enum directive_kind {
        SETS,    /* changes what comes later */
        GATHERS, /* adds to the flight, which leaves before the next directive of another kind */
        SAYS,    /* the client sends */
        ACTS,    /* something else happens to the session */
        EXPECTS, /* looks at what came of it */
};

static const struct directive {
        const char *word;
        enum directive_kind kind;
        bool has_body;
        void (*play)(struct play *play, const struct step *step);
} directives[] = {
    {"file", SETS, true, play_file},
    {"conf", SETS, true, play_conf},
    {"client", SETS, false, play_client},
    {"elsewhere", SETS, false, play_elsewhere},
    {"listener", SETS, false, play_listener},
    {"dns", SETS, false, play_dns},
    {"senders", SETS, false, play_senders},
    {"suspend", SETS, false, play_suspend},
    {"hears", SETS, false, play_hears},
    {"load", SETS, false, play_load},
    {"memory", SETS, false, play_memory},
    {"D:", GATHERS, false, play_line},
    {"B:", GATHERS, false, play_octets},
    {"R:", GATHERS, false, play_repeat},
    {"C:", SAYS, false, play_command},
    {"F:", SAYS, false, play_flight},
    {"connect", ACTS, false, play_connect},
    {"time", ACTS, false, play_time},
    {"store", ACTS, false, play_store},
    {"filters", ACTS, false, play_filters},
    {"hop", ACTS, false, play_hop},
    {"stop", ACTS, false, play_stop},
    {"outdated", ACTS, false, play_outdated},
    {"early", ACTS, false, play_early},
    {"drop", ACTS, false, play_drop},
    {"tls", ACTS, false, play_tls},
    {"tls:", ACTS, false, play_handshake},
    {"S:", EXPECTS, false, play_reply},
    {"closed", EXPECTS, false, play_closed},
    {"told", EXPECTS, false, play_told},
    {"remembers", EXPECTS, false, play_remembers},
    {"message", EXPECTS, true, play_message},
    {"rcpts", EXPECTS, false, play_recipients},
    {"count", EXPECTS, false, play_count},
    {"log", EXPECTS, false, play_log},
    {"log-not", EXPECTS, false, play_log_not},
};

static const struct directive *find_directive(struct span word)
{
        for (size_t i = 0; i < sizeof directives / sizeof directives[0]; i++)
                if (span_equals(word, span_from(directives[i].word)))
                        return &directives[i];
        return NULL;
}

static void play_step(struct play *play, const struct step *step)
{
        const struct directive *directive = find_directive(step->word);

        if (directive == NULL || directive->has_body != (step->body.at != NULL)) {
                play_fail(play, step, "not a directive, or its text is missing");
                return;
        }
        if (directive->kind != GATHERS)
                send_flight(play);
        if (directive->kind != EXPECTS && play_unexpected(play).length > 0)
                play_fail_differs(play, step, SPAN("nothing said before"), play_unexpected(play));
        if ((directive->kind == GATHERS || directive->kind == SAYS) && !play->harness.is_open)
                play_fail(play, step, "the session is closed");
        if (play->failure.length == 0)
                directive->play(play, step);
}

static void play_step_mutely(struct play *play, const struct step *step)
{
        const struct directive *directive = find_directive(step->word);
        struct harness *harness = &play->harness;
        bool is_connect = directive->play == play_connect;
        bool needs_session = directive->kind == GATHERS || directive->kind == SAYS;

        if (directive->kind != GATHERS && harness->is_open)
                send_flight(play);
        if (directive->kind == EXPECTS || (directive->kind == ACTS && !is_connect &&
                                           directive->play != play_time && directive->play != play_drop))
                return;
        if (is_connect && harness->is_open)
                harness_drop(harness);
        if (!harness->is_open)
                play->flight.length = 0;
        if (!needs_session || harness->is_open)
                directive->play(play, step);
        if (is_connect)
                harness_pass_time(harness, 1000);
        play->said_read = harness->said.length;
}

/* Whatever happened, each line of the log is a JSON object. */
static void check_log(struct play *play, const struct step *step)
{
        struct span rest = text_span(&play->harness.logged);
        json_error_t error;

        while (rest.length > 0) {
                struct span line = span_take_line(&rest, SPAN("\n"));
                json_t *object = json_loadb(line.at, line.length, 0, &error);
                if (!json_is_object(object))
                        play_fail(play, step, "log is no JSON object: %s: %.*s", error.text, (int)line.length,
                                  line.at);
                json_decref(object);
        }
}

static void begin(struct play *play, const struct step *step)
{
        struct session_peer *peer = &play->harness.peer;

        play->harness.host.sink = play_sink;
        write_file(play, step, SPAN("recipients"), SPAN("alice\nbob\n"));
        configure(play, step, default_configuration, SPAN(""));
        *peer = (struct session_peer){.client_port = 40000, .server_port = 25};
        expect(address_parse(SPAN("192.0.2.7"), &peer->client));
        expect(address_parse(SPAN("198.51.100.25"), &peer->server));
}

static void finish(struct play *play, const struct step *step)
{
        send_flight(play);
        if (play_unexpected(play).length > 0)
                play_fail_differs(play, step, SPAN("nothing more"), play_unexpected(play));
        harness_drop(&play->harness);
        check_log(play, step);
        play_check_ids(play, step);
}

static void prepare(struct play *play, const struct script *script, const char *directory)
{
        memset(play, 0, offsetof(struct play, harness));
        play->script = script;
        play->directory = directory;
        text_over(&play->flight, play->flight_octets, sizeof play->flight_octets);
        text_over(&play->failure, play->failure_octets, sizeof play->failure_octets);
}

void play_script(struct play *play, const struct script *script, const char *directory, enum cutting cutting,
                 uint32_t seed, enum answering answering)
{
        const struct step outside = {.line = 0};

        prepare(play, script, directory);
        harness_init(&play->harness, cutting, seed, answering);
        begin(play, &outside);
        for (size_t i = 0; i < script->count && play->failure.length == 0; i++)
                play_step(play, &script->steps[i]);
        finish(play, &outside);
}

void play_mute(struct play *play, const struct script *script, const char *directory, enum rung rung,
               enum knowing knowing, bool is_measured)
{
        const struct step outside = {.line = 0};

        prepare(play, script, directory);
        play->is_mute = true;
        harness_init(&play->harness, CUT_WHOLE, 1, ANSWER_AT_ONCE);
        begin(play, &outside);
        play->harness.dns.knowing = knowing;
        play->harness.measures_all = is_measured;
        harness_load(&play->harness, rung);
        for (size_t i = 0; i < script->count && play->failure.length == 0; i++)
                play_step_mutely(play, &script->steps[i]);
        harness_drop(&play->harness);
}

void play_end(struct play *play)
{
        harness_end(&play->harness);
        while (play->snapshot_count > 0)
                snapshot_free(play->snapshots[--play->snapshot_count]);
}
