/* Fuzzes DMARC: lines with From, the domain that SPF has passed for, one that a signature has passed for, and then a
 * zone
 * as in tests/auth/world.h. Answers in time and late must lead to the same end. */
#include "core/base/expect.h"
#include "tests/auth/world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static struct span take(struct span *rest)
{
        size_t at = span_find(*rest, '\n');
        struct span taken = span_of(rest->at, at == SIZE_MAX ? rest->length : at);
        *rest = span_skip(*rest, taken.length + 1);
        return taken;
}

static void read_from(struct world *world, struct auth_reader *reader, struct span from,
                      struct dmarc_author *author)
{
        memset(reader, 0, sizeof *reader);
        auth_reader_init(reader, &world->arena);
        auth_reader_read(reader, SPAN("From:"));
        auth_reader_read(reader, from);
        auth_reader_read(reader, SPAN("\r\n\r\n"));
        auth_reader_end(reader);
        dmarc_author_read(&reader->text.header, author);
        expect((author->kind == DMARC_AUTHOR_ONE) == (author->length > 0));
        expect(author->length == 0 || domain_name_is_valid(dmarc_author_domain(author), false));
}

static void check(const struct dmarc_verdict *verdict, const struct dmarc_author *author,
                  const struct world *world)
{
        struct span list = verdict->record.rua, uri, domain = dmarc_author_domain(author);

        expect((verdict->reason[0] == '\0') == (verdict->result == AUTH_PASS));
        expect((verdict->dkim_is_aligned || verdict->spf_is_aligned) == (verdict->result == AUTH_PASS));
        expect(verdict->disposition == DMARC_POLICY_NONE || verdict->result == AUTH_FAIL);
        expect(verdict->policy <= verdict->published);
        expect(verdict->record_domain.length == 0 || domain_name_is_within(domain, verdict->record_domain));
        expect(verdict->organisation.length == 0 || domain_name_is_within(domain, verdict->organisation));
        expect(world->asked <= 3 * DMARC_WALK_MAX + 3);
        while (dmarc_uri_next(&list, &uri))
                expect(uri.length > 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static struct auth_reader reader;
        struct dmarc_verdict verdicts[2];
        char *copy = malloc(length + 1);

        expect(copy != NULL);
        if (length > 0)
                memcpy(copy, octets, length);
        struct span rest = span_of(copy, length), from = take(&rest), spf = take(&rest), dkim = take(&rest);
        for (size_t i = 0; i < 2; i++) {
                struct dmarc_author author;
                struct world world;
                world_begin(&world, rest, i == 1);
                read_from(&world, &reader, from, &author);
                reader.dkim.count = reader.dkim.seen = 1;
                reader.dkim.signatures[0] =
                    (struct auth_signature){.result = AUTH_PASS, .reason = "", .domain = dkim};
                struct dmarc_request request = {&author, &reader.dkim, AUTH_PASS, spf};
                world_dmarc(&world, &request, &verdicts[i]);
                check(&verdicts[i], &author, &world);
                world_check_results(&reader, &author, &verdicts[i], spf);
                world_end(&world);
        }
        expect(verdicts[0].result == verdicts[1].result &&
               verdicts[0].disposition == verdicts[1].disposition);
        free(copy);
        return 0;
}
