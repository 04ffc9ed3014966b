/* Compares domains and recipients of two snapshots. */
#include "conf/build/losses.h"

#include "conf/recipients/entry.h"

static bool is_more_than(size_t lost, size_t count, uint64_t percent)
{
        return (uint64_t)lost * 100 > (uint64_t)count * percent;
}

static void judge_domains(const struct snapshot *before, const struct snapshot *after,
                          struct conf_complaints *complaints)
{
        const struct domain *example = NULL;
        uint64_t percent = after->options.domains_shrink_max;
        size_t lost = 0;

        for (size_t i = 0; i < before->domain_count; i++)
                if (snapshot_find_domain(after, before->domains[i].name) == NULL) {
                        example = &before->domains[i];
                        lost++;
                }
        if (is_more_than(lost, before->domain_count, percent))
                conf_complain(
                    complaints, COMPLAINT_ERROR, &example->place,
                    "%zu of %zu domains would go, such as \"%.*s\"; domains_shrink_max is %u percent", lost,
                    before->domain_count, (int)example->name.length, example->name.at, (unsigned)percent);
}

struct losses {
        size_t count;
        struct span example;
};

/* Of a mapped file only the numbers are compared: it may have 50 million recipients. */
static struct losses count_losses(const struct domain *before, const struct domain *after)
{
        struct losses losses = {0};
        struct name_table_walk walk = {0};
        struct span name;

        if ((before->map != NULL || after->map != NULL) && before->recipient_count > after->recipient_count)
                losses.count = before->recipient_count - after->recipient_count;
        if (before->map != NULL || after->map != NULL)
                return losses;
        while (name_table_next(&before->recipients, &walk, &name))
                if (!name_table_find(&after->recipients, name, NULL)) {
                        losses.example = recipient_shown(name);
                        losses.count++;
                }
        return losses;
}

static void judge_recipients(const struct domain *before, const struct domain *after, uint64_t percent,
                             struct conf_complaints *complaints)
{
        size_t count = before->recipient_count;

        if (before->origin != RECIPIENTS_HERE || after->origin != RECIPIENTS_HERE)
                return; /* nobody knows them all */
        struct losses losses = count_losses(before, after);
        struct span example = losses.example;

        if (is_more_than(losses.count, count, percent) && example.at == NULL)
                conf_complain(complaints, COMPLAINT_ERROR, &after->place,
                              "%zu of %zu recipients would go; recipients_shrink_max is %u percent",
                              losses.count, count, (unsigned)percent);
        else if (is_more_than(losses.count, count, percent))
                conf_complain(
                    complaints, COMPLAINT_ERROR, &after->place,
                    "%zu of %zu recipients would go, such as \"%.*s\"; recipients_shrink_max is %u percent",
                    losses.count, count, (int)example.length, example.at, (unsigned)percent);
        else if (losses.count > 0 && after->recipients_are_cut && percent < 100)
                conf_complain(
                    complaints, COMPLAINT_ERROR, &after->place,
                    "recipients would go, such as \"%.*s\", and the last line of their file has no end: "
                    "was it written whole? recipients_shrink_max = 100 takes it as it is",
                    (int)example.length, example.at);
}

bool losses_are_allowed(const struct snapshot *before, const struct snapshot *after,
                        struct conf_complaints *complaints)
{
        unsigned errors = complaints->errors;

        judge_domains(before, after, complaints);
        for (size_t i = 0; i < before->domain_count; i++) {
                const struct domain *next = snapshot_find_domain(after, before->domains[i].name);
                if (next != NULL)
                        judge_recipients(domain_of_mailboxes(&before->domains[i]), domain_of_mailboxes(next),
                                         after->options.recipients_shrink_max, complaints);
        }
        return complaints->errors == errors;
}
