/* gatepost-auth-judge ZONE [NOW [MAIL-FROM]]: judges the message on standard input, whose lines end with CRLF, by
 * the DNS of
 * a file (see world.h), and says what it found, a line for each signature, and the field of Authentication-Results.
 * With
 * MAIL-FROM, SPF has passed for that mailbox. The verdict must not depend on how the text comes, nor DNS: it is judged
 * three times, and exit 1 says that the times differ. */
#include "core/base/expect.h"
#include "tests/auth/world.h"

#include <stdio.h>
#include <stdlib.h>

#define OUT_MAX 32768

static struct span file_read(FILE *file)
{
        size_t size = 1 << 16, length = 0, got;
        char *octets = malloc(size);

        expect(file != NULL && octets != NULL);
        while ((got = fread(octets + length, 1, size - length, file)) > 0) {
                length += got;
                if (length == size)
                        octets = realloc(octets, size *= 2);
                expect(octets != NULL);
        }
        return span_of(octets, length);
}

static void put_signature(struct text *out, const char *what, const struct auth_signature *signature)
{
        text_printf(out, "%s %s %.*s %.*s bits=%u testing=%d%s%s\n", what,
                    auth_result_name(signature->result), (int)signature->domain.length, signature->domain.at,
                    (int)signature->selector.length, signature->selector.at, signature->key_bits,
                    signature->is_testing, signature->reason[0] == '\0' ? "" : ": ", signature->reason);
}

static bool is_good_sealer(const struct arc_trust *trust, struct span sealer)
{
        (void)trust;
        return span_starts_nocase(sealer, SPAN("trusted"));
}

static void put_arc(struct text *out, const struct auth_reader *reader)
{
        static const struct arc_trust trust = {is_good_sealer};
        uint16_t trusted = arc_trusted_instance(&reader->arc, &trust);

        text_printf(out, "arc %s sets=%u oldest-pass=%u trusted=%u says-dmarc-pass=%d%s%s\n",
                    auth_result_name(reader->arc.result), reader->arc.count, reader->arc.oldest_pass, trusted,
                    arc_says_pass(&reader->arc, &reader->text.header, trusted, SPAN("dmarc")),
                    reader->arc.reason[0] == '\0' ? "" : ": ", reader->arc.reason);
}

static void put_dmarc(struct text *out, const struct dmarc_verdict *verdict)
{
        text_printf(out, "dmarc %s policy=%s disposition=%s dkim=%d spf=%d%s%s\n",
                    auth_result_name(verdict->result), dmarc_policy_name(verdict->policy),
                    dmarc_policy_name(verdict->disposition), verdict->dkim_is_aligned,
                    verdict->spf_is_aligned, verdict->reason[0] == '\0' ? "" : ": ", verdict->reason);
}

static void judge(struct text *out, struct span zone, struct span text, size_t cut, int64_t now_s,
                  struct span mail_from)
{
        struct auth_reader *reader = malloc(sizeof *reader);
        struct dmarc_author author;
        struct dmarc_verdict verdict;
        struct world world;

        expect(reader != NULL);
        world_begin(&world, zone, cut != 0);
        world_judge(&world, reader, text, cut, now_s);
        for (size_t i = 0; i < reader->dkim.count; i++)
                put_signature(out, "dkim", &reader->dkim.signatures[i]);
        put_arc(out, reader);
        dmarc_author_read(&reader->text.header, &author);
        struct dmarc_request request = {
            .author = &author,
            .dkim = &reader->dkim,
            .spf = mail_from.length > 0 ? AUTH_PASS : AUTH_NONE,
            .spf_domain = span_skip(mail_from, span_find_last(mail_from, '@') + 1),
        };
        world_dmarc(&world, &request, &verdict);
        put_dmarc(out, &verdict);
        struct auth_results results = {
            .server = SPAN("mx.receiver.example"),
            .iprev = "pass",
            .client = SPAN("192.0.2.1"),
            .spf = mail_from.length > 0 ? "pass" : "none",
            .mail_from = mail_from,
            .helo = SPAN("client.example"),
            .dkim = &reader->dkim,
            .author = &author,
            .dmarc = &verdict,
            .arc = &reader->arc,
        };
        auth_results_write(out, &results);
        expect(!out->overflowed);
        world_end(&world);
        free(reader);
}

int main(int argc, char **argv)
{
        static const size_t cuts[] = {0, 1, 61};
        static char octets[sizeof cuts / sizeof *cuts][OUT_MAX];
        struct text outs[sizeof cuts / sizeof *cuts];

        if (argc < 2)
                return 2;
        FILE *file = fopen(argv[1], "rbe");
        struct span zone = file_read(file), text = file_read(stdin);
        int64_t now_s = argc > 2 ? strtoll(argv[2], NULL, 10) : 1700000000;
        for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
                text_over(&outs[i], octets[i], sizeof octets[i]);
                judge(&outs[i], zone, text, cuts[i], now_s, argc > 3 ? span_from(argv[3]) : span_of("", 0));
        }
        fwrite(outs[0].at, 1, outs[0].length, stdout);
        fclose(file);
        free((char *)zone.at);
        free((char *)text.at);
        return span_equals(text_span(&outs[0]), text_span(&outs[1])) &&
                       span_equals(text_span(&outs[0]), text_span(&outs[2]))
                   ? 0
                   : 1;
}
