/* P3: the client has a dynamic address: a DNS list says so, or its reverse name is missing, leads nowhere, or
 * is a generic one. */
#include "core/check/dnsbl.h"
#include "core/check/reverse.h"

static enum verdict_result refuse(const struct facts *facts, struct verdict *verdict, struct span what,
                                  const char *why)
{
        verdict->reply = REPLY_dynamic_client;
        verdict->evidence = facts_note(facts, what, why);
        return VERDICT_REFUSE;
}

static enum verdict_result by_name(const struct facts *facts, struct verdict *verdict, bool waits)
{
        struct span name;
        enum reverse_result result = reverse_lookup(facts, &name);

        if (waits || result == REVERSE_PENDING)
                return VERDICT_WAIT;
        if (result == REVERSE_NONE)
                return refuse(facts, verdict, SPAN("reverse DNS"), "no name for the client");
        if (result == REVERSE_UNVERIFIED)
                return refuse(facts, verdict, name, "does not lead back to the client");
        if (result == REVERSE_VERIFIED && reverse_is_generic(facts, name))
                return refuse(facts, verdict, name, "a generic name with the client's address in it");
        return VERDICT_PASS;
}

enum verdict_result check_dynamic_client(const struct facts *facts, struct verdict *verdict)
{
        bool waits = false;

        for (size_t i = 0; i < facts->snapshot->zone_count; i++) {
                const struct dnsbl_zone *zone = &facts->snapshot->zones[i];
                const struct dns_answer *answer;
                bool is_dynamic;
                if (zone->options.names || zone->options.dynamic.count == 0 ||
                    facts_zone_is_suspended(facts, i))
                        continue;
                enum zone_state state = dnsbl_ask_client(facts, zone, &is_dynamic, &answer);
                if ((state == ZONE_LISTS || state == ZONE_SILENT) && is_dynamic && !waits)
                        return refuse(facts, verdict, zone->name, "lists the client as dynamic");
                waits |= state == ZONE_PENDING;
        }
        return by_name(facts, verdict, waits);
}
