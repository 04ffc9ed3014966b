/* Fuzzes paths, parameters, local parts, domain names and addresses. The first octet of the input chooses. */
#include "core/base/address.h"
#include "core/base/domain_name.h"
#include "core/base/expect.h"
#include "core/base/local_part.h"
#include "core/smtp/command/path.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static bool is_inside(struct span part, struct span whole)
{
        return part.length == 0 || (part.at >= whole.at && part.at + part.length <= whole.at + whole.length);
}

static void try_path(struct span input, bool takes_null, bool takes_postmaster, bool is_lenient)
{
        struct span rest = input;
        struct path path;

        if (!path_parse(&rest, takes_null, takes_postmaster, is_lenient, &path)) {
                expect(rest.at >= input.at && rest.at + rest.length == input.at + input.length);
                return;
        }
        while (is_lenient && input.at[0] == ' ')
                input = span_skip(input, 1);
        size_t used = input.length - rest.length;
        expect(used >= 2 && used <= PATH_MAX_OCTETS && input.at[0] == '<' && input.at[used - 1] == '>');
        expect(is_inside(path.address, input) && is_inside(path.local_part, input) &&
               is_inside(path.domain, input));
        expect(takes_null || path.address.length > 0);
        expect(path.domain.length > 0 || path.address.length == 0 || takes_postmaster);
        for (size_t i = 0; i < path.address.length; i++)
                expect(!ascii_is_control(path.address.at[i]));
        expect(span_is_utf8(path.address) && path.is_ascii == span_is_ascii(path.address));
        if (path.domain.length > 0 && !path.domain_is_literal)
                expect(domain_name_is_valid(path.domain, true));
}

static void try_parameters(struct span input)
{
        struct parameter parameter;
        unsigned found = 0;

        while (parameter_next(&input, &parameter) == PARAMETER_FOUND) {
                expect(parameter.keyword.length > 0 && ++found < 100000);
                for (size_t i = 0; i < parameter.value.length; i++)
                        expect(!ascii_is_control(parameter.value.at[i]) && parameter.value.at[i] != '=');
        }
}

static void try_names(struct span input)
{
        char octets[2 * DOMAIN_NAME_MAX];
        struct text text;
        struct address address, again;
        struct network network;

        text_over(&text, octets, sizeof octets);
        if (domain_name_is_valid(input, true) && domain_name_to_ascii(input, &text) && !text.overflowed)
                expect(span_is_ascii(text_span(&text)));
        text_over(&text, octets, LOCAL_PART_MAX);
        bool is_local_part = local_part_parse(input, true, &text);
        expect(!text.overflowed && text.length <= LOCAL_PART_MAX);
        text_over(&text, octets, LOCAL_PART_MAX);
        expect(local_part_parse_loose(input, true, &text) || !is_local_part);
        expect(!text.overflowed && text.length <= LOCAL_PART_MAX);
        text_over(&text, octets, sizeof octets);
        if (address_parse(input, &address)) {
                address_write(&text, &address);
                expect(address_parse(text_span(&text), &again) && address_equals(&address, &again));
        }
        if (network_parse(input, &network))
                expect(network_contains(&network, &network.address));
        bool is_literal = address_parse_literal(input, &address);
        expect(address_parse_loosely(input, &address) || !is_literal);
        if (domain_name_is_valid(input, false))
                expect(domain_name_host_fault(input) == NULL);
        /* What goes into a log line or a reply stays one. */
        char *room = malloc(6 * input.length + 3);
        expect(room != NULL);
        text_over(&text, room, 6 * input.length + 3);
        text_put_json(&text, input);
        expect(!text.overflowed);
        for (size_t i = 0; i < text.length; i++)
                expect(!ascii_is_control(text.at[i]));
        text.length = 0;
        text_put_printable(&text, input, true);
        expect(!text.overflowed && span_is_utf8(text_span(&text)));
        free(room);
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        if (length == 0)
                return 0;
        struct span input = span_of((const char *)octets + 1, length - 1);
        if (octets[0] % 3 == 0)
                try_path(input, (octets[0] & 4) != 0, (octets[0] & 8) != 0, (octets[0] & 16) != 0);
        else if (octets[0] % 3 == 1)
                try_parameters(input);
        else
                try_names(input);
        return 0;
}
