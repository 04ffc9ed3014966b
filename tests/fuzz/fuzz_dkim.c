/* Fuzzes DKIM: the first line of the input is a key record, which stands at any name, or "!" for a failure; the rest
 * is a
 * message. What is found must not depend on how the message is cut, nor on when DNS answers. */
#include "core/base/expect.h"
#include "tests/auth/world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static void judge(struct world *world, struct auth_reader *reader, struct span zone, struct span text,
                  size_t cut)
{
        world_begin(world, zone, cut != 0);
        world_judge(world, reader, text, cut, 1700000000);
        expect(world->asked <= DKIM_SIGNATURES_MAX + 2 * ARC_SETS_MAX);
        expect(reader->dkim.count <= DKIM_SIGNATURES_MAX && reader->dkim.count <= reader->dkim.seen);
        for (size_t i = 0; i < reader->dkim.count; i++) {
                const struct auth_signature *signature = &reader->dkim.signatures[i];
                expect((signature->reason[0] == '\0') == (signature->result == AUTH_PASS));
                expect(signature->fields_looked_at <= SIGNATURE_NAMES_MAX * AUTH_FIELDS_MAX);
                expect(signature->octets_digested <= 2 * AUTH_HEADER_MAX);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static struct auth_reader whole, cut;
        struct world first, second;
        char *copy = malloc(length + 7);

        expect(copy != NULL);
        memcpy(copy, "* TXT ", 6);
        if (length > 0)
                memcpy(copy + 6, octets, length);
        struct span all = span_of(copy, length + 6);
        size_t line = span_find(all, '\n');
        line = line == SIZE_MAX ? all.length : line;
        struct span zone = span_of(all.at, line), text = span_skip(all, line + 1);
        judge(&first, &whole, zone, text, 0);
        judge(&second, &cut, zone, text, 1 + length % 37);
        expect(whole.dkim.seen == cut.dkim.seen && dkim_result(&whole.dkim) == dkim_result(&cut.dkim));
        for (size_t i = 0; i < whole.dkim.count; i++)
                expect(whole.dkim.signatures[i].result == cut.dkim.signatures[i].result &&
                       strcmp(whole.dkim.signatures[i].reason, cut.dkim.signatures[i].reason) == 0);
        struct dmarc_author author;
        struct dmarc_verdict verdict = {.result = AUTH_NONE, .reason = ""};
        dmarc_author_read(&whole.text.header, &author);
        world_check_results(&whole, &author, &verdict, text);
        world_end(&first);
        world_end(&second);
        free(copy);
        return 0;
}
