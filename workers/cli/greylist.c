/* gatepost greylist. */
#include "workers/cli/greylist.h"

#include "conf/build/load.h"
#include "core/base/date.h"
#include "core/base/domain_name.h"
#include "core/check/greylist/identity.h"
#include "dns/clock.h"
#include "workers/cli/usage.h"
#include "workers/process/user.h"
#include "workers/senders/access.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define IDENTITIES_MAX 2
#define IDENTITY_MAX   300

/* Who is meant: "spf:DOMAIN", "rdns:DOMAIN" or "net:PREFIX" as they are, a bare domain as both, an address as
 * its network. */
struct meant {
        char octets[IDENTITIES_MAX][IDENTITY_MAX];
        struct text identities[IDENTITIES_MAX];
        size_t count;
};

const char greylist_help[] =
    "usage: gatepost greylist list -c FILE [WHO]     what is remembered, of all or of somebody\n"
    "       gatepost greylist allow -c FILE WHO      always let pass\n"
    "       gatepost greylist forget -c FILE WHO     as if never seen; also undoes allow\n\n"
    "WHO: an address, a domain, or an identity as list shows it (spf:DOMAIN, rdns:DOMAIN, net:PREFIX)\n\n"
    "Exit status: 0; 1 FILE is wrong, or the store cannot be reached; 2 wrong call.\n";

static struct text *meant_add(struct meant *meant)
{
        struct text *identity = &meant->identities[meant->count];
        text_over(identity, meant->octets[meant->count++], IDENTITY_MAX);
        return identity;
}

static bool meant_add_domain(struct meant *meant, const char *kind, struct span domain)
{
        struct text *identity = meant_add(meant);
        text_put_string(identity, kind);
        return domain_name_to_ascii(domain, identity) && !identity->overflowed &&
               domain_name_is_valid(span_skip(text_span(identity), strlen(kind)), false);
}

static bool meant_parse(const char *who, struct meant *ret_meant)
{
        struct span text = span_from(who);
        struct address address;

        *ret_meant = (struct meant){0};
        if (address_parse(text, &address)) {
                greylist_put_network(meant_add(ret_meant), &address);
                return true;
        }
        if (span_starts_nocase(text, SPAN("net:"))) {
                struct span network = span_skip(text, 4);
                network.length =
                    span_find(network, '/') < network.length ? span_find(network, '/') : network.length;
                if (!address_parse(network, &address))
                        return false;
                greylist_put_network(meant_add(ret_meant), &address);
                return true;
        }
        if (span_starts_nocase(text, SPAN("spf:")))
                return meant_add_domain(ret_meant, "spf:", span_skip(text, 4));
        if (span_starts_nocase(text, SPAN("rdns:")))
                return meant_add_domain(ret_meant, "rdns:", span_skip(text, 5));
        return meant_add_domain(ret_meant, "spf:", text) && meant_add_domain(ret_meant, "rdns:", text);
}

/* ---- list, forget -------------------------------------------------------------------------------------- */

struct walk {
        const struct sender_source *source;
        const struct meant *meant; /* count 0: everybody */
        time_t now;
        struct sender_key *keys; /* of what is to be forgotten */
        size_t key_count;
        bool is_out_of_memory;
};

/* The identity's own record, or one of its senders. */
static bool is_meant(const struct walk *walk, const struct sender_key *key, struct span text)
{
        const struct meant *meant = walk->meant;
        struct span identity = text;

        identity.length = span_find(text, ' ') < text.length ? span_find(text, ' ') : text.length;
        for (size_t i = 0; i < meant->count; i++) {
                struct sender_key own = sender_source_key(walk->source, text_span(&meant->identities[i]));
                if (sender_key_equals(&own, key) ||
                    memcmp(own.unkeyed, key->octets, sizeof own.unkeyed) == 0 ||
                    span_equals(identity, text_span(&meant->identities[i])))
                        return true;
        }
        return meant->count == 0;
}

static void print_time(const char *name, uint32_t seconds)
{
        char octets[DATE_TEXT_LENGTH];
        struct text date;

        text_over(&date, octets, sizeof octets);
        date_write(&date, seconds);
        printf(" %s %.*sZ", name, (int)date.length, date.at);
}

static void print_row(void *context, const struct sender_key *key, const struct sender_record *record,
                      struct span text)
{
        const struct walk *walk = context;
        bool is_identity = text.length > 0 && span_find(text, ' ') == SIZE_MAX;
        char octets[SENDER_TEXT_MAX];
        struct text printable;

        if (!is_meant(walk, key, text) || (int64_t)record->expires_s <= (int64_t)walk->now)
                return;
        bool is_allowed = record->count == UINT32_MAX; /* for ever, and no number of mails */
        if (is_allowed)
                printf("allowed   ");
        else if (is_identity)
                printf("delivered ");
        else
                printf(record->count > 0 ? "passed    " : "waiting   ");
        text_over(&printable, octets, sizeof octets);
        text_put_printable(&printable, text, true);
        if (text.length > 0)
                printf("%.*s", (int)printable.length, printable.at);
        for (size_t i = 0; text.length == 0 && i < sizeof key->octets; i++)
                printf("%02x", key->octets[i]);
        if (!is_allowed && record->count > 0)
                printf(" count %u", record->count);
        print_time("first", record->first_s);
        print_time("last", record->last_s);
        if (!is_allowed)
                print_time("until", record->expires_s);
        printf("\n");
}

static void gather_key(void *context, const struct sender_key *key, const struct sender_record *record,
                       struct span text)
{
        struct walk *walk = context;

        (void)record;
        if (!is_meant(walk, key, text))
                return;
        if (walk->key_count % 1024 == 0) {
                struct sender_key *grown = realloc(walk->keys, (walk->key_count + 1024) * sizeof *grown);
                if (grown == NULL) {
                        walk->is_out_of_memory = true;
                        return;
                }
                walk->keys = grown;
        }
        walk->keys[walk->key_count++] = *key;
}

static bool list(struct sender_access *access, const struct meant *meant)
{
        struct walk walk = {.source = &access->source, .meant = meant, .now = clock_wall_s()};
        return sender_access_each(access, print_row, &walk);
}

static bool forget(struct sender_access *access, const struct meant *meant)
{
        struct walk walk = {.source = &access->source, .meant = meant};
        bool is_good = sender_access_each(access, gather_key, &walk) && !walk.is_out_of_memory &&
                       sender_access_forget(access, walk.keys, walk.key_count);

        if (is_good)
                printf("%zu forgotten\n", walk.key_count);
        free(walk.keys);
        return is_good;
}

static bool allow(struct sender_access *access, const struct meant *meant)
{
        uint32_t now_s = (uint32_t)clock_wall_s();

        for (size_t i = 0; i < meant->count; i++) {
                struct span identity = text_span(&meant->identities[i]);
                struct sender_effect effect = {sender_source_key(&access->source, identity),
                                               {now_s, now_s, UINT32_MAX, UINT32_MAX},
                                               identity};
                if (effect.text.length > SENDER_TEXT_MAX)
                        effect.text.length = SENDER_TEXT_MAX;
                if (!sender_access_merge(access, &effect))
                        return false;
                printf("allowed %.*s\n", (int)identity.length, identity.at);
        }
        return true;
}

/* ---- command line -------------------------------------------------------------------------------------- */

static int run(const char *verb, const char *configuration, const struct meant *meant)
{
        struct conf_complaints complaints = {0};
        struct snapshot *snapshot = snapshot_load(configuration, &complaints);
        struct sender_access access;
        bool is_good = false;

        if (complaints.errors > 0)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        /* A store that root makes, or its lock, would be closed to the server. */
        if (user_become_of(snapshot->options.user) && sender_access_open(&access, snapshot, false)) {
                is_good = strcmp(verb, "list") == 0    ? list(&access, meant)
                          : strcmp(verb, "allow") == 0 ? allow(&access, meant)
                                                       : forget(&access, meant);
                sender_access_close(&access);
        }
        snapshot_free(snapshot);
        return is_good && fflush(stdout) == 0 ? 0 : 1;
}

static bool is_verb(const char *verb)
{
        return strcmp(verb, "list") == 0 || strcmp(verb, "allow") == 0 || strcmp(verb, "forget") == 0;
}

int greylist_main(int argc, char **argv)
{
        const char *configuration = NULL;
        const struct usage_option options[] = {{"config", &configuration, NULL}, {0}};
        struct meant meant = {0};

        if (!usage_read_options(greylist_help, options, 2, argc, argv))
                return USAGE_STATUS;
        const char *verb = argv[optind], *who = verb == NULL ? NULL : argv[optind + 1];
        if (verb == NULL)
                return usage_fault(greylist_help, "greylist: list, allow or forget is missing");
        if (!is_verb(verb))
                return usage_fault(greylist_help, "greylist: \"%s\" is none of list, allow and forget", verb);
        if (configuration == NULL)
                return usage_fault(greylist_help, "greylist: -c FILE is missing");
        if (who == NULL && strcmp(verb, "list") != 0)
                return usage_fault(greylist_help, "greylist: WHO is missing");
        if (who != NULL && !meant_parse(who, &meant)) {
                fprintf(stderr, "gatepost: %s is neither an address nor a domain nor an identity\n", who);
                return USAGE_STATUS;
        }
        return run(verb, configuration, &meant);
}
