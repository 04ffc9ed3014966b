/* Counters and the log. */
#include "workers/shadow/difference.h"

#include "core/base/domain_name.h"

#include <stdio.h>

#define TOLD_FIRST 100 /* differences in the log; of later ones one a second */

static void write_side(const struct rehearse_side *side, char ret_octets[static 96])
{
        snprintf(ret_octets, 96, "%s%s%s", rehearse_outcome_names[side->outcome],
                 side->reply == REPLY_NONE ? "" : " ",
                 side->reply == REPLY_NONE ? "" : reply_infos[side->reply].name);
}

static const char *copy(struct span span, char *buffer, size_t size)
{
        span_copy_cut(span, buffer, size);
        return buffer;
}

static void tell_difference(struct log_writer *log, const struct rehearsed *rehearsed)
{
        const struct rehearse_side *blamed = rehearse_blamed(rehearsed);
        char id[ID_TEXT_SIZE], mail[ID_TEXT_SIZE], domain[256], was[96], would_be[96];
        char client[ADDRESS_TEXT_MAX + 1];

        address_write_string(rehearsed->client, client);
        write_side(&rehearsed->live, was);
        write_side(&rehearsed->other, would_be);
        log_event(
            log, "shadow_difference", "client", client, "reject_id",
            copy(rehearsed->live.outcome == OUTCOME_TAKEN ? SPAN("") : rehearsed->live.id, id, sizeof id),
            "id", copy(rehearsed->mail, mail, sizeof mail), "change",
            rehearse_change_names[rehearsed->change], "check",
            blamed->check < CHECK_COUNT ? check_infos[blamed->check].name : "", "domain",
            copy(address_domain(rehearsed->sender), domain, sizeof domain), "was", was, "would_be", would_be,
            NULL);
}

static void count_difference(struct shadow *shadow, enum rehearse_change change)
{
        _Atomic uint64_t *metrics = shadow->counters.metrics;

        counter_add(&metrics[METRIC_shadow_refuses_more], change == CHANGE_REFUSES_MORE);
        counter_add(&metrics[METRIC_shadow_refuses_less], change == CHANGE_REFUSES_LESS);
}

void shadow_note(void *context, const struct rehearsed *rehearsed)
{
        struct shadow *shadow = context;
        struct shadow_run *run = shadow->run;

        if (!rehearse_differs(rehearsed->change))
                return;
        count_difference(shadow, rehearsed->change);
        if (run->told_all >= TOLD_FIRST && run->told > 0)
                return;
        run->told++;
        run->told_all++;
        tell_difference(shadow->parts.log, rehearsed);
}
