/* Fuzzes ARC: the input is a message. All keys are that of the signer of tests. What a chain comes to must not
 * depend on
 * how the message is cut, nor on when DNS answers; nobody is believed but in a chain that passes. */
#include "core/base/expect.h"
#include "tests/auth/signer.h"
#include "tests/auth/world.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static bool is_trusted(const struct arc_trust *trust, struct span sealer)
{
        (void)trust;
        return sealer.length % 2 == 1;
}

static void check(const struct auth_reader *reader, const struct world *world)
{
        static const struct arc_trust trust = {is_trusted};
        const struct arc *arc = &reader->arc;
        uint16_t trusted = arc_trusted_instance(arc, &trust);

        expect(world->asked <= DKIM_SIGNATURES_MAX + 2 * ARC_SETS_MAX);
        expect(arc->count <= ARC_SETS_MAX && trusted <= arc->count && arc->oldest_pass <= arc->count);
        expect(trusted == 0 || arc->result == AUTH_PASS);
        expect((arc->oldest_pass > 0) >= (arc->result == AUTH_PASS));
        expect((arc->reason[0] == '\0') == (arc->result == AUTH_PASS || arc->result == AUTH_NONE));
        expect(arc->octets_digested <= (uint64_t)ARC_SETS_MAX * 2 * AUTH_HEADER_MAX);
        arc_says_pass(arc, &reader->text.header, trusted, SPAN("dmarc"));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        static const char zone[] = "* TXT k=ed25519; p=" SIGNER_KEY "\n";
        static struct auth_reader whole, cut;
        struct world first, second;
        char *copy = malloc(length + 1);

        expect(copy != NULL);
        if (length > 0)
                memcpy(copy, octets, length);
        world_begin(&first, span_from(zone), false);
        world_judge(&first, &whole, span_of(copy, length), 0, 1700000000);
        check(&whole, &first);
        world_begin(&second, span_from(zone), true);
        world_judge(&second, &cut, span_of(copy, length), 1 + length % 37, 1700000000);
        check(&cut, &second);
        expect(whole.arc.result == cut.arc.result && whole.arc.oldest_pass == cut.arc.oldest_pass &&
               strcmp(whole.arc.reason, cut.arc.reason) == 0);
        world_end(&first);
        world_end(&second);
        free(copy);
        return 0;
}
