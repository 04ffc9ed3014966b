/* Which fields of a message's header are taken out because they claim to be ours. Each header is given whole and
 * in pieces. */
#include "core/mail/claims.h"
#include "tests/unit/conf/fixture.h"

#define ROOM 65536

static struct snapshot *snapshot;

static void begin(void)
{
        folder_begin();
        snapshot =
            load(HOSTNAME DOMAIN
                 "domain \"xn--mnchen-3ya.example\" { recipients = \"people\" deliver = \"discard:\" }\n");
}

static void end(void)
{
        snapshot_free(snapshot);
        folder_end();
}

static void filter(struct span text, size_t cut, struct text *kept)
{
        struct claims claims;
        struct content content = {0};
        struct content_pool pool;

        content_pool_init(&pool, 4);
        memset(&claims, 0x5a, sizeof claims);
        claims_init(&claims, snapshot);
        for (struct span rest = text; rest.length > 0;) {
                struct span piece = span_of(rest.at, cut < rest.length ? cut : rest.length);
                cr_assert(claims_read(&claims, piece, &content, &pool));
                rest = span_skip(rest, piece.length);
        }
        cr_assert(claims_end(&claims, &content, &pool));
        for (const struct content_block *block = content.first; block != NULL; block = block->next)
                text_put(kept, span_of(block->octets, block->length));
        content_release(&content, &pool);
        content_pool_end(&pool);
}

static void expect_kept(struct span text, struct span expected)
{
        static const size_t cuts[] = {SIZE_MAX, 1, 2, 7};
        static char octets[ROOM];

        for (size_t i = 0; i < sizeof cuts / sizeof cuts[0]; i++) {
                struct text kept;
                text_over(&kept, octets, sizeof octets);
                filter(text, cuts[i], &kept);
                cr_expect(span_equals(text_span(&kept), expected), "in pieces of %zu, kept %.*s of %.*s",
                          cuts[i], (int)kept.length, kept.at, (int)text.length, text.at);
        }
}

/* The field, which has no CRLF at its end, among others. */
static void expect_field(const char *field, bool is_removed)
{
        static char octets[2][ROOM];
        struct text whole, expected;

        text_over(&whole, octets[0], ROOM);
        text_over(&expected, octets[1], ROOM);
        text_printf(&whole, "Subject: x\r\n\ty\r\n%s\r\nAuth: z\r\n\r\n%s\r\n", field, field);
        text_printf(&expected, "Subject: x\r\n\ty\r\n%s%sAuth: z\r\n\r\n%s\r\n", is_removed ? "" : field,
                    is_removed ? "" : "\r\n", field);
        expect_kept(text_span(&whole), text_span(&expected));
}

Test(claims, fields_of_ours_and_of_others, .init = begin, .fini = end)
{
        static const struct {
                const char *field;
                bool is_removed;
        } samples[] = {
            {"Authentication-Results: mx.isp.example; spf=pass", true},
            {"authentication-results:MX.ISP.EXAMPLE;none", true},
            {"Authentication-Results : mx.isp.example 1; dkim=pass\r\n\theader.d=x\r\n more", true},
            {"AUTHENTICATION-RESULTS:\r\n (a (nested)\r\n \\) one) mx.isp.example.; spf=pass", true},
            {"Authentication-Results: \"mx\\.isp.example\"; none", true},
            {"Authentication-Results: inner.mx.isp.example", true},
            {"Authentication-Results: mx.isp.example/1; none", true},
            {"Authentication-Results: m\xc3\xbcnchen.example; none", true},
            {"Authentication-Results: M\xc3\x9cNCHEN.example; none", true},
            {"Authentication-Results: xn--mnchen-3ya.example; none", true},
            {"Authentication-Results: mx.far.example; spf=pass smtp.mailfrom=isp.example", false},
            {"Authentication-Results: notisp.example; none", false},
            {"Authentication-Results: b\xc3\xbc"
             "cher.example; none",
             false},
            {"Authentication-Results: (mx.isp.example) far.example; none", false},
            {"Authentication-Results:", false},
            {"Authentication-Results: ;", false},
            {"Authentication-Result: mx.isp.example", false},
            {"Authentication-Results-2: mx.isp.example", false},
            {"X-Authentication-Results: mx.isp.example", false},
            {"Authentication Results: mx.isp.example", false},
            {"Received-SPF: pass (mx.isp.example: domain of x@far.example) client-ip=192.0.2.1", true},
            {"Received-SPF: Pass\r\n\t( mx.isp.example: domain of x)", true},
            {"Received-SPF: pass (mx.far.example: domain of x) "
             "client-ip=192.0.2.1;\r\n\treceiver=mx.isp.example;",
             true},
            {"received-spf: pass identity=helo; Receiver = \"mx.isp.example\"", true},
            {"Received-SPF: pass receiver=<mx.isp.example>", true},
            {"Received-SPF: pass receiver=x; receiver=mx.isp.example", true},
            {"Received-SPF: pass receiver=(c)mx.isp.example", true},
            {"Received-SPF: pass receiver (c) = mx.isp.example", true},
            {"Received-SPF: pass receiver(a (nested\\) one)) \r\n =\r\n (b)\t<mx.isp.example>", true},
            {"Received-SPF: pass receiver (receiver=mx.isp.example", true},
            {"Received-SPF: pass receiver (c) = mx.far.example", false},
            {"Received-SPF: pass receiver (mx.isp.example) = mx.far.example", true},
            {"Received-SPF: pass (mx.far.example: domain of x@isp.example) "
             "envelope-from=\"x@isp.example\";\r\n"
             "\treceiver=mx.far.example",
             false},
            {"Received-SPF: none", false},
            {"Received: from mx.isp.example by mx.isp.example", false},
            {"Received-SPF", false},
        };

        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
                expect_field(samples[i].field, samples[i].is_removed);
}

/* Forms of which somebody hopes that we read them otherwise than others do. */
Test(claims, hostile_forms, .init = begin, .fini = end)
{
        static const struct {
                const char *field;
                bool is_removed;
        } samples[] = {
            /* Folded where a reader unfolds it, in the middle of what is looked for. */
            {"Authentication-Results:\r\n mx.isp.example;\r\n spf=pass", true},
            {"Authentication-Results:\r\n\t(c)\r\n\t\"mx.isp.example\"\r\n\t1;\r\n\tspf=pass", true},
            {"Authentication-Results: \t (((c)(d)))\t mx.isp.example; none", true},
            {"aUTHENTICATION-rESULTS: Mx.IsP.eXaMpLe; none", true},
            {"Authentication-Results\t \t: mx.isp.example; none", true},
            /* What is no octet of a name for a reader, or another form of the same letter. */
            {"Authentication-Results: \xef\xbb\xbfmx.isp.example; none", true},
            {"Authentication-Results: mx.\xe2\x80\x8bisp.example; none", true},
            {"Authentication-Results: \xef\xbd\x8d\xef\xbd\x98.isp.example; none", true},
            {"Received-SPF: pass (\xef\xbb\xbfmx.isp.example: x)", true},
            {"Received-SPF: pass receiver=mx.isp\xe3\x80\x82"
             "example",
             true},
            /* The name is a token (RFC 8601 2.2), and ends here. */
            {"Authentication-Results: mx (c) . isp.example; none", false},
            {"Authentication-Results: mx.isp\r\n .example; none", false},
            {"Received-SPF: pass (\r\n mx.isp.example: x)", true},
            {"Received-SPF:\r\n pass\r\n receiver\r\n =\r\n mx.isp.example", true},
            {"Received-SPF \t: pass receiver=MX.isp.example.", true},
            /* A name of a field has ASCII alone: this is none to anybody. */
            {"\xef\xbb\xbf"
             "Authentication-Results: mx.isp.example; none",
             false},
        };

        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
                expect_field(samples[i].field, samples[i].is_removed);
}

static void begin_in_ascii(void)
{
        folder_begin();
        snapshot = load(HOSTNAME DOMAIN);
}

/* Where no name of ours has others than ASCII, either. */
Test(claims, forms_of_ascii_names, .init = begin_in_ascii, .fini = end)
{
        expect_field("Authentication-Results: \xef\xbb\xbfmx.isp.example; none", true);
        expect_field("Authentication-Results: \xef\xbd\x89sp.example; none", true);
        expect_field("Authentication-Results: isp\xe3\x80\x82"
                     "example; none",
                     true);
        expect_field("Authentication-Results: m\xc3\xbcnchen.example; none", false);
        expect_kept(
            SPAN("Received-SPF: pass receiver=mx.isp.example\r\nReceived-SPF: fail receiver=far.example\r\n"
                 "Authentication-Results: mx.isp.example; none\r\nRECEIVED-SPF: pass (mx.isp.example: "
                 "x)\r\nA: b\r\n\r\n"),
            SPAN("Received-SPF: fail receiver=far.example\r\nA: b\r\n\r\n"));
}

/* Longer than what is looked at: kept when it has said whose it is. */
Test(claims, long_fields, .init = begin, .fini = end)
{
        static const struct {
                const char *begin, *end;
                bool is_removed;
        } samples[] = {
            {"Authentication-Results: mx.isp.example;", "", true},
            {"Authentication-Results: mx.far.example;", "", false},
            {"Authentication-Results: (", ") mx.isp.example", true},
            {"Authentication-Results: (", ") mx.far.example", true},
            {"Authentication-Results: ", "", true},
            {"Received-SPF: pass ", " receiver=mx.isp.example", true},
            {"Received-SPF: pass receiver=mx.far.example", "", true},
            {"X-Other: ", "", false},
        };
        static char field[8192];

        for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++)
                for (size_t extra = 0; extra < 2000; extra += 97) {
                        struct text text;
                        text_over(&text, field, sizeof field);
                        text_put_string(&text, samples[i].begin);
                        for (size_t at = 0; at < 1024 + extra; at++)
                                text_put_string(&text, at % 60 == 59 ? "\r\n x" : "x");
                        text_put_string(&text, samples[i].end);
                        text_put_char(&text, '\0');
                        expect_field(field, samples[i].is_removed);
                }
}

Test(claims, blanks_behind_a_name, .init = begin, .fini = end)
{
        static char field[4096];

        for (size_t blanks = 990; blanks < 1100; blanks++) {
                memset(field, ' ', sizeof field);
                memcpy(field, "Authentication-Results", 22);
                strcpy(field + 22 + blanks, ": mx.isp.example");
                expect_field(field, true);
        }
}

Test(claims, ends_of_texts, .init = begin, .fini = end)
{
        expect_kept(SPAN(""), SPAN(""));
        expect_kept(SPAN("Auth"), SPAN("Auth"));
        expect_kept(SPAN("Received-SPF: none"), SPAN("Received-SPF: none"));
        expect_kept(SPAN("A: b\r\nReceived-SPF: x receiver=mx.isp.example\r\n"), SPAN("A: b\r\n"));
        expect_kept(SPAN("\r\nReceived-SPF: x receiver=mx.isp.example\r\n"),
                    SPAN("\r\nReceived-SPF: x receiver=mx.isp.example\r\n"));
        expect_kept(
            SPAN("A: b\r\n x\r\nReceived-SPF: x receiver=mx.isp.example\r\n"
                 "Authentication-Results: mx.isp.example\r\nReceived-SPF: x receiver=mx.isp.example\r\n\r\n"),
            SPAN("A: b\r\n x\r\n\r\n"));
        /* What would go on with the field in front of the text is a body, and so is all behind it. */
        expect_kept(SPAN(" x\r\n\ty\r\nReceived-SPF: x receiver=mx.isp.example\r\n"),
                    SPAN("\r\n x\r\n\ty\r\nReceived-SPF: x receiver=mx.isp.example\r\n"));
}

/* ---- any header ---------------------------------------------------------------------------------------- */

static uint64_t seed;

static size_t draw(size_t below)
{
        seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        return (size_t)((seed >> 33) % below);
}

/* Of few tokens each, so that there are runs of short lines. */
static void draw_header(struct text *text)
{
        static const char *const tokens[] = {"\r\n",
                                             "\r\n ",
                                             "x",
                                             "Received-SPF:",
                                             "Received:",
                                             "Authentication-Results:",
                                             "a",
                                             "r",
                                             "mx.isp.example",
                                             " receiver=mx.isp.example",
                                             "(",
                                             "\r\n\r\n",
                                             ":",
                                             "xyzxyzxyzxyzxyzxyzxyzxyz",
                                             "\t",
                                             "\r"};
        size_t first = draw(16), second = draw(16);

        for (size_t i = 50 + draw(500); i > 0; i--) {
                size_t choice = draw(16);
                text_put_string(text, tokens[choice < 6    ? 0
                                             : choice < 10 ? first
                                             : choice < 14 ? second
                                                           : draw(16)]);
        }
}

/* Octet by octet nothing is leapt over. */
Test(claims, leaps_change_nothing, .init = begin, .fini = end)
{
        static char octets[3][ROOM];
        struct text text, expected, kept;

        seed = 1;
        for (int i = 0; i < 1000; i++) {
                text_over(&text, octets[0], ROOM);
                text_over(&expected, octets[1], ROOM);
                text_over(&kept, octets[2], ROOM);
                draw_header(&text);
                filter(text_span(&text), 1, &expected);
                filter(text_span(&text), draw(2) == 0 ? SIZE_MAX : 2 + draw(200), &kept);
                cr_assert(!text.overflowed && span_equals(text_span(&kept), text_span(&expected)),
                          "kept %.*s of %.*s", (int)kept.length, kept.at, (int)text.length, text.at);
        }
}
