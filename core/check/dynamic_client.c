/* P3: the client has a dynamic address: a DNS list says so, or its reverse name is missing, leads nowhere, or
 * is a generic one. */
#include "core/check/dns/dnsbl.h"
#include "core/check/dns/reverse.h"

static enum verdict_result refuse(const struct facts *facts, struct verdict *verdict, struct span what,
                                  const char *why)
{
        verdict->reply = REPLY_dynamic_client;
        verdict->evidence = facts_note(facts, what, why);
        return VERDICT_REFUSE;
}

/* A suspended list says so: it only observes. */
static enum verdict_result by_suspended(const struct facts *facts, struct verdict *verdict,
                                        const struct dnsbl_zone *zone)
{
        if (zone == NULL)
                return VERDICT_PASS;
        verdict->only_observes = true;
        return refuse(facts, verdict, zone->name, "lists the client as dynamic, but is suspended");
}

static enum verdict_result unsure(const struct facts *facts, struct verdict *verdict)
{
        verdict->reply = REPLY_dynamic_client_unsure;
        verdict->evidence =
            facts_note(facts, SPAN("DNS"), "lists or names of the client cannot be asked for");
        return facts_on_failure(facts->snapshot->options.dynamic_client_on_failure);
}

/* Only one good name is needed. */
static bool all_are_generic(const struct facts *facts, const struct reverse_names *names)
{
        for (size_t i = 0; i < names->count; i++)
                if (!reverse_is_generic(facts, names->names[i]))
                        return false;
        return true;
}

static enum verdict_result by_name(const struct facts *facts, struct verdict *verdict, bool waits,
                                   bool has_failed)
{
        struct reverse_names names;
        enum reverse_result result = reverse_lookup(facts, &names);

        if (waits || result == REVERSE_PENDING)
                return VERDICT_WAIT;
        if (result == REVERSE_NONE)
                return refuse(facts, verdict, SPAN("reverse DNS"), "has no name for the client");
        if (result == REVERSE_UNVERIFIED)
                return refuse(facts, verdict, names.names[0], "does not lead back to the client");
        bool is_generic = result == REVERSE_VERIFIED && all_are_generic(facts, &names);
        if (is_generic && names.is_complete)
                return refuse(facts, verdict, names.names[0],
                              "is a generic name with the client's address in it");
        if (has_failed || is_generic || result == REVERSE_FAILED)
                return unsure(facts, verdict);
        return VERDICT_PASS;
}

enum verdict_result check_dynamic_client(const struct facts *facts, struct verdict *verdict)
{
        const struct dnsbl_zone *suspended = NULL;
        bool waits = false, waits_for_suspended = false, has_failed = false;

        for (size_t i = 0; i < facts->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &facts->snapshot->zones[i];
                const struct dns_answer *answer;
                bool is_dynamic;
                if (zone->options.names || zone->options.dynamic.count == 0)
                        continue;
                enum zone_state state = dnsbl_ask_client(facts, zone, &is_dynamic, &answer);
                is_dynamic = is_dynamic && (state == ZONE_LISTS || state == ZONE_SILENT);
                if (zone_is_suspended(zone)) {
                        suspended = is_dynamic && suspended == NULL ? zone : suspended;
                        waits_for_suspended |= state == ZONE_PENDING;
                        continue;
                }
                if (is_dynamic && !waits)
                        return refuse(facts, verdict, zone->name, "lists the client as dynamic");
                waits |= state == ZONE_PENDING;
                has_failed |= state == ZONE_FAILED;
        }
        enum verdict_result result = by_name(facts, verdict, waits, has_failed);
        if (result != VERDICT_PASS)
                return result;
        return waits_for_suspended ? VERDICT_WAIT : by_suspended(facts, verdict, suspended);
}

/* The same zones, which are to be marked once. */
struct zone_marks dynamic_client_mark_zones(const struct facts *facts)
{
        return facts->snapshot->check_is_wanted[CHECK_dnsbl] ? (struct zone_marks){0}
                                                             : dnsbl_mark_zones(facts);
}
