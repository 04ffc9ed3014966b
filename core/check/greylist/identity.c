/* Whom a client stands for, and its senders in the form that is the same for each of their mails. */
#include "core/check/greylist/identity.h"

#include "core/base/domain_name.h"
#include "core/check/dns/reverse.h"
#include "core/check/spf/spf.h"

#include <libpsl.h>

#define NAME_OCTETS 256
#define TOKEN_MIN   8 /* hexadecimal digits that are taken for one number */

/* ---- identity ------------------------------------------------------------------------------------------ */

/* A domain that lets the whole world send for it vouches for nobody. */
static bool is_all(struct span mechanism)
{
        return span_ends_nocase(mechanism, SPAN("all")) && mechanism.length <= 4;
}

static bool by_spf(const struct facts *facts, struct text *identity, bool *ret_is_pending)
{
        const struct spf_detail *detail;
        enum spf_result result = spf_counts(facts) ? spf_lookup(facts, &detail) : SPF_NONE;

        *ret_is_pending = result == SPF_WAIT;
        if (result != SPF_PASS || is_all(detail->mechanism))
                return false;
        text_put_string(identity, "spf:");
        struct span domain =
            facts->sender_is_null ? domain_name_without_dot(facts->helo) : facts->sender_domain_ascii;
        text_put_lower(identity, domain);
        return true;
}

/* What of the name somebody has registered; empty for a public suffix. */
static struct span organisational(const struct facts *facts, struct span name,
                                  char octets[static NAME_OCTETS])
{
        if (facts->snapshot->suffixes == NULL || name.length >= NAME_OCTETS)
                return SPAN("");
        for (size_t i = 0; i < name.length; i++)
                octets[i] = ascii_lower(name.at[i]);
        octets[name.length] = '\0';
        const char *domain = psl_registrable_domain(facts->snapshot->suffixes, octets);
        return domain == NULL ? SPAN("") : span_from(domain);
}

/* Of several names the first by alphabet, because DNS gives them in any order. */
static bool by_reverse_name(const struct facts *facts, struct text *identity, bool *ret_is_pending)
{
        char octets[NAME_OCTETS], best[NAME_OCTETS] = "";
        struct reverse_names names;
        enum reverse_result result = reverse_lookup(facts, &names);

        *ret_is_pending = result == REVERSE_PENDING;
        if (result != REVERSE_VERIFIED)
                return false;
        for (size_t i = 0; i < names.count; i++) {
                struct span domain = organisational(facts, names.names[i], octets);
                if (domain.length == 0 || reverse_is_generic(facts, names.names[i]) ||
                    (best[0] != '\0' && strcmp(domain.at, best) >= 0))
                        continue;
                memcpy(best, domain.at, domain.length + 1);
        }
        if (best[0] == '\0')
                return false;
        text_put_string(identity, "rdns:");
        text_put_string(identity, best);
        return true;
}

void greylist_put_network(struct text *text, const struct address *client)
{
        struct address network = *client;
        bool is_ipv4 = address_is_ipv4(client);
        size_t kept = is_ipv4 ? 15 : 8;

        memset(network.octets + kept, 0, sizeof network.octets - kept);
        text_put_string(text, "net:");
        address_write(text, &network);
        text_put_string(text, is_ipv4 ? "/24" : "/64");
}

struct span greylist_identity(const struct facts *facts, bool *ret_is_pending)
{
        char octets[NAME_OCTETS + 8];
        struct text identity;
        bool spf_is_pending = false, reverse_is_pending = false;

        *ret_is_pending = false;
        text_over(&identity, octets, sizeof octets);
        bool has_dns = facts->memo->source != NULL;
        bool is_found = has_dns && by_spf(facts, &identity, &spf_is_pending);
        /* Asked while SPF waits, so that they wait together. */
        if (has_dns && !is_found)
                is_found = by_reverse_name(facts, &identity, &reverse_is_pending);
        *ret_is_pending = spf_is_pending || (!is_found && reverse_is_pending);
        if (*ret_is_pending)
                return SPAN("");
        if (!is_found)
                greylist_put_network(&identity, &facts->client);
        return arena_copy(facts->arena, text_span(&identity));
}

/* ---- sender -------------------------------------------------------------------------------------------- */

static struct span behind(struct span local, char separator, int times)
{
        for (; times > 0; times--) {
                size_t at = span_find(local, separator);
                if (at == SIZE_MAX)
                        return span_of(NULL, 0);
                local = span_skip(local, at + 1);
        }
        return local;
}

/* "prvs=TAG=LOCAL" (BATV), "btv1==TAG==LOCAL" (Barracuda), "SRS0=HASH=TIME=DOMAIN=LOCAL" (SRS): what stays
 * the same. Others make tags of other lengths than ours (tag.h): any is cut off. */
static struct span untagged(struct span local)
{
        static const struct {
                struct span start;
                int separators;
        } tags[] = {
            {{"prvs=", 5}, 2}, {{"btv1==", 6}, 4}, {{"srs0=", 5}, 3}, {{"srs0+", 5}, 2}, {{"srs1=", 5}, 2}};

        for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
                struct span rest = behind(local, '=', tags[i].separators);
                if (span_starts_nocase(local, tags[i].start) && rest.length > 0)
                        return rest;
        }
        return local;
}

static bool is_hexadecimal(char c)
{
        return ascii_hex_value(c) >= 0;
}

/* Digits from the front, or a long hexadecimal number with a digit in it: 0 when neither is there. */
static size_t number_length(struct span rest)
{
        size_t digits = 0, hexadecimals = 0;
        bool has_digit = false;

        while (digits < rest.length && ascii_is_digit(rest.at[digits]))
                digits++;
        while (hexadecimals < rest.length && is_hexadecimal(rest.at[hexadecimals]))
                has_digit |= ascii_is_digit(rest.at[hexadecimals++]);
        bool is_word_part = hexadecimals < rest.length && ascii_is_alpha(rest.at[hexadecimals]);
        return hexadecimals >= TOKEN_MIN && has_digit && !is_word_part ? hexadecimals : digits;
}

static void put_local(struct text *text, struct span local)
{
        bool is_in_word = false;

        while (local.length > 0 && local.at[0] != '+') {
                size_t number = is_in_word && !ascii_is_digit(local.at[0]) ? 0 : number_length(local);
                text_put_char(text, number > 0 ? '#' : ascii_lower(local.at[0]));
                is_in_word = ascii_is_alnum(local.at[0]);
                local = span_skip(local, number > 0 ? number : 1);
        }
}

void greylist_put_sender(struct text *text, struct span sender)
{
        size_t at = span_find_last(sender, '@');

        if (sender.length == 0) {
                text_put_string(text, "<>");
                return;
        }
        if (at == SIZE_MAX)
                at = sender.length;
        put_local(text, untagged(span_of(sender.at, at)));
        text_put_lower(text, span_skip(sender, at));
}
