/* Fuzzes whole sessions. The input is a script, an action a line: "C..." a command line, "D..." a line of text,
 * "F..." octets in one flight, "T" and a digit: time passes, "S" and a digit: what the store says from now on, "G"
 * and a digit: what a next hop says at DATA from now on, or with an odd one from 5 on nothing until another "G", "H"
 * and an odd digit: DNS answers nothing, or an even one: it does, "X" the server stops, "Y" and waits for no more
 * answers, "O" and a digit: the configuration is outdated, "K" and a digit: how much memory is left. "R", a digit
 * and octets: these 2^(digit + 1) times. In C, D, F and R the octets 1 to 4 stand for CR, LF, NUL and ETX. "P" and
 * four digits: a PROXY header, see below. "M" and a digit, or what follows 9 in ASCII, as first line: the
 * configuration, see below; and "E" and octets behind it: the modes of all checks, see session_modes.h. "V" and a
 * digit: what comes of the handshake that is waited for, "N" and a digit: whether the next one can be taken, and
 * whether octets wait behind STARTTLS. "L" and a digit: what mail filters say from now on; 8 and 9: nothing. Played
 * whole and octet by octet: where the client waits for its replies, and DNS was not held, both must say and store the
 * same. dialogue/text_waits.c is linked in: texts may wait. */
#include "core/base/expect.h"
#include "tests/dialogue/harness.h"
#include "tests/fuzz/session/holds.h"
#include "tests/fuzz/session_modes.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

#define INPUT_MAX    6000
#define REPEATED_MAX 140000 /* octets of one action */

/* ---- playing ------------------------------------------------------------------------------------------- */

static struct span unescape(struct span line, bool is_line)
{
        static char octets[INPUT_MAX + 2];
        struct text text;

        text_over(&text, octets, sizeof octets);
        for (size_t i = 0; i < line.length; i++)
                text_put_char(&text, line.at[i] == 1   ? '\r'
                                     : line.at[i] == 2 ? '\n'
                                     : line.at[i] == 3 ? 0
                                     : line.at[i] == 4 ? 3
                                                       : line.at[i]);
        if (is_line)
                text_put(&text, SPAN("\r\n"));
        return text_span(&text);
}

/* Also in one flight: octet by octet it would take long. */
static void repeat(struct harness *harness, unsigned digit, struct span octets)
{
        static char flight[REPEATED_MAX + INPUT_MAX];
        struct text text;

        text_over(&text, flight, sizeof flight);
        for (size_t i = 0; i < 2u << digit && text.length < REPEATED_MAX; i++)
                text_put(&text, octets);
        if (text_room(&harness->unread) > text.length)
                harness_send_flight(harness, text_span(&text));
}

static unsigned digit_of(struct span line, size_t at)
{
        return line.length > at ? (unsigned char)(line.at[at] - '0') % 10 : 0;
}

/* Version 2, by four digits: family; LOCAL, PROXY or what is neither; how many octets follow the head, and which.
 * The lengths are those that a family needs, one less, and all that there may be. */
static void send_header(struct harness *harness, struct span line)
{
        static const uint8_t families[] = {0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32, 0x10, 0x41, 0xff};
        static const size_t lengths[] = {0, 11, 12, 35, 36, 215, 216, 1000, 3000, 65535};
        static char octets[16 + 65535];
        size_t length = lengths[digit_of(line, 3)];
        struct text text;

        text_over(&text, octets, sizeof octets);
        text_put(&text, SPAN("\r\n\r\n\0\r\nQUIT\n"));
        text_put_char(&text, (char)(0x20 | digit_of(line, 2) % 3));
        text_put_char(&text, (char)families[digit_of(line, 1)]);
        text_put_char(&text, (char)(length >> 8));
        text_put_char(&text, (char)(length & 0xff));
        for (size_t i = 0; i < length; i++)
                text_put_char(&text, "\r\nQ\xc6\x33\x64\x07\0XP"[digit_of(line, 4) + i % 2]);
        if (text_room(&harness->unread) <= text.length)
                return;
        if (length <= 1000)
                harness_send(harness, text_span(&text));
        else
                harness_send_flight(harness, text_span(&text));
}

/* The names are the client's, and so are any octets. */
static void end_handshake(struct harness *harness, unsigned digit, struct span octets)
{
        static const char *const reasons[] = {"closed", "no shared cipher", "internal error", "unknown ca"};
        const struct tls_facts facts = {
            .version = digit == 1 ? "TLSv1.2" : "TLSv1.3",
            .cipher = "TLS_AES_128_GCM_SHA256",
            .group = digit == 2 ? "" : "x25519",
            .server_name = octets,
            .client_certificate = digit == 3 ? octets : SPAN(""),
            .is_resumed = digit == 2,
        };
        const struct tls_failure failure = {
            .reason = reasons[digit % 4], .offered = digit == 9 ? "" : "TLSv1.1", .server_name = octets};

        if (harness->wish != SESSION_HANDSHAKE)
                return;
        if (digit < 6)
                harness_shake_hands(harness, &facts);
        else
                harness_fail_handshake(harness, &failure);
}

/* Held: of a message that is under way the answer comes with the next of these actions. */
static void say_of_filters(struct harness *harness, unsigned digit)
{
        static const struct filter_report says[] = {
            {.outcome = FILTER_IS_CONTENT},
            {.outcome = FILTER_REFUSES},
            {FILTER_REFUSES, NULL, 554, {"5.6.0", 5}, {"a \r\n\0\xff%r", 8}},
            {.outcome = FILTER_DEFERS},
            {FILTER_DEFERS, NULL, 450, {"4.7.1", 5}, {"later", 5}},
            {.outcome = FILTER_DISCARDS},
            {.outcome = FILTER_CLOSES},
            {.outcome = FILTER_FAILED, .words = {"why", 3}},
        };

        harness->filters_are_held = digit >= sizeof says / sizeof says[0];
        if (harness->filters_are_held)
                return;
        harness->filters_say = says[digit];
        if (harness->wish == SESSION_FILTER)
                harness_filter(harness);
}

static void answer_opening(struct harness *harness, unsigned digit)
{
        static const enum store_outcome outcomes[] = {STORE_DONE, STORE_REFUSED_BY_HOP, STORE_DEFERRED_BY_HOP,
                                                      STORE_NO_HOP};

        harness->hop_outcome = outcomes[digit % 4];
        harness->hop_is_held = digit >= 5 && digit % 2 == 1;
        if (!harness->hop_is_held && harness->is_open && harness->wish == SESSION_OPEN)
                harness_open(harness);
}

static void act(struct harness *harness, struct span line)
{
        static const uint64_t times_ms[] = {0, 1, 1000, 6000, 31000, 61000, 200000, 301000, 3600000, 4000000};
        unsigned digit = digit_of(line, 1);

        switch (line.length > 0 ? line.at[0] : 0) {
        case 'C':
        case 'D':
                harness_send(harness, unescape(span_skip(line, 1), true));
                break;
        case 'F':
                harness_send_flight(harness, unescape(span_skip(line, 1), false));
                break;
        case 'P':
                send_header(harness, line);
                break;
        case 'R':
                repeat(harness, digit, unescape(span_skip(line, 2), false));
                break;
        case 'H':
                harness_hold_dns(harness, digit % 2 == 1);
                break;
        case 'Y':
                harness_stop(harness, HARNESS_STOPS_AT_ONCE);
                break;
        case 'T':
                harness_pass_time(harness, times_ms[digit]);
                break;
        case 'S':
                harness->store_outcome = (enum store_outcome)(digit % 6);
                break;
        case 'G':
                answer_opening(harness, digit);
                break;
        case 'O':
                harness_outdate(harness, digit % 2 == 1);
                break;
        case 'K':
                harness->host.memory_is_spent = digit % 2 == 1;
                harness_bound_memory(harness, digit < 2 ? UINT32_MAX : (digit - 2) * 700);
                break;
        case 'V':
                end_handshake(harness, digit, unescape(span_skip(line, 2), false));
                break;
        case 'N':
                harness->tls_is_ready = digit % 2 == 0;
                harness->tls_is_early = digit >= 8;
                break;
        case 'L':
                say_of_filters(harness, digit);
                break;
        case 'X':
                harness_stop(harness, HARNESS_STOPS);
                break;
        default:
                break;
        }
}

/* Some names that the script can use; all others do not exist. */
static void fill_dns(struct scripted_dns *dns)
{
        static const char *const lines[] = {
            "b.example MX 10 mx.b.example",
            "mx.b.example A 203.0.113.1",
            "b.example TXT v=spf1 mx ?all",
            "c.example TXT v=spf1 -all",
            "c.example MX 10 mx.b.example",
            "7.2.0.192.zen.spamhaus.org A 127.0.0.2",
            "d.example MX silent",
            "text.b.example A 127.0.0.2",
            "text.c.example A 127.0.0.4",
            "text.d.example A silent",
            "c.example A silent",
            "mail.example.org A 203.0.113.2",
            "_dmarc.d.example TXT v=DMARC1; p=reject",
            "s._domainkey.d.example TXT v=DKIM1; k=ed25519; p=A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=",
        };
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
                expect(scripted_dns_add(dns, span_from(lines[i])));
}

static size_t take_variant(struct span *script)
{
        if (script->length < 2 || script->at[0] != 'M')
                return 0;
        struct span line = script_take_line(script);
        return line.length < 2 ? 0 : (unsigned char)(line.at[1] - '0') % SESSION_VARIANTS;
}

static void play(struct harness *harness, struct span script)
{
        size_t variant = take_variant(&script);
        struct span modes = script.length > 0 && script.at[0] == 'E' ? script_take_line(&script) : SPAN("E");
        harness->snapshot = session_snapshot(variant, span_skip(modes, 1));
        fill_dns(&harness->dns);
        expect(address_parse(script.length % 2 == 0 ? SPAN("192.0.2.7") : SPAN("2001:db8::7"),
                             &harness->peer.client));
        harness->peer.needs_proxy_header = script.length % 7 == 0;
        harness_connect(harness);
        while (script.length > 0 && harness->is_open)
                act(harness, script_take_line(&script));
        harness_drop(harness);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        struct span script = span_of((const char *)octets, length);
        static struct harness whole, pieces;

        if (length > INPUT_MAX)
                return 0;
        harness_init(&whole, CUT_WHOLE, 1, ANSWER_AT_ONCE);
        harness_init(&pieces, CUT_OCTETS, 1, ANSWER_LAST_FIRST);
        play(&whole, script);
        play(&pieces, script);
        session_check_replies(text_span(&whole.said));
        session_check_log(&whole);
        session_check_log(&pieces);
        session_check_stored(&whole);
        session_check_stored(&pieces);
        session_check_tls(&whole);
        session_check_tls(&pieces);
        /* A name server that is held answers who asked at once, and not who asks for what its answer names. What
         * is left of memory depends on what came when. */
        if (script_count(script, SPAN("\nH")) == 0 && script_count(script, SPAN("\nL8")) == 0 &&
            script_count(script, SPAN("\nL9")) == 0 && script_count(script, SPAN("\nK")) == 0 &&
            script_count(text_span(&whole.said), SPAN("you must wait")) == 0 &&
            script_count(text_span(&pieces.said), SPAN("you must wait")) == 0) {
                expect(span_equals(text_span(&whole.said), text_span(&pieces.said)));
                expect(span_equals(text_span(&whole.stored), text_span(&pieces.stored)));
        }
        harness_end(&whole);
        harness_end(&pieces);
        return 0;
}
