/* The memo has the answers of before, so that a walk that had to wait begins anew at no cost. */
#include "core/auth/dmarc/walk.h"

#include "dns/name.h"

#define RECORDS_LOOKED_AT 64 /* of an answer: a name may have many TXT records of others */

static const char prefix[] = "_dmarc.";

/* The end of `name` with so many labels, or all of it. */
static struct span labels_from_right(struct span name, size_t count)
{
        for (size_t i = name.length; i-- > 0;)
                if (name.at[i] == '.' && --count == 0)
                        return span_skip(name, i + 1);
        return name;
}

static size_t label_count(struct span name)
{
        size_t count = name.length > 0;

        for (size_t i = 0; i < name.length; i++)
                count += name.at[i] == '.';
        return count;
}

/* 4.10, steps 4 and 7; empty behind the top label. */
static struct span next_target(struct span name)
{
        size_t count = label_count(name);

        if (count <= 1)
                return span_of(name.at, 0);
        return labels_from_right(name, count < DMARC_WALK_MAX ? count - 1 : DMARC_WALK_MAX - 1);
}

enum fact dmarc_record_ask(struct span domain, struct memo *memo, struct dmarc_record *ret_record)
{
        char octets[DNS_NAME_MAX];
        const struct dns_answer *answer;
        unsigned found = 0;
        struct text name;

        text_over(&name, octets, sizeof octets);
        text_put_string(&name, prefix);
        text_put(&name, domain);
        if (name.overflowed)
                return FACT_ABSENT;
        enum fact fact = memo_ask(memo, text_span(&name), DNS_TXT, &answer);
        if (fact != FACT_FOUND)
                return fact;
        for (size_t i = 0; i < answer->record_count && i < RECORDS_LOOKED_AT; i++)
                found += dmarc_record_read(answer->records[i].data, ret_record);
        return found == 1 ? FACT_FOUND : FACT_ABSENT;
}

/* What has been found from the longest name on. */
struct steps {
        struct span start;
        size_t count;
        struct span names[DMARC_WALK_MAX];
        struct dmarc_record records[DMARC_WALK_MAX];
};

/* True: the walk stops here (4.10, steps 2 and 6). */
static bool keep(struct steps *steps, struct span name, const struct dmarc_record *record)
{
        steps->names[steps->count] = name;
        steps->records[steps->count++] = *record;
        return record->psd != DMARC_PSD_UNKNOWN;
}

/* A top label that does not answer says nothing where the name right below it has a record: that is the organisation
 * either way. */
static bool matters_not(const struct steps *steps, struct span name)
{
        return steps->count > 0 && label_count(name) == 1 && label_count(steps->names[steps->count - 1]) == 2;
}

static enum fact walk(struct steps *steps, struct memo *memo)
{
        struct dmarc_record record;

        for (struct span name = steps->start; name.length > 0; name = next_target(name)) {
                enum fact fact = dmarc_record_ask(name, memo, &record);
                if (fact == FACT_PENDING || (fact == FACT_FAILED && !matters_not(steps, name)))
                        return fact;
                if (fact == FACT_FOUND && keep(steps, name, &record))
                        break;
        }
        return FACT_FOUND;
}

/* 4.10.2: of the last record, psd=y means the name below it unless the walk began there. Without it that name is the
 * organisation, as it is with psd=n. */
static struct span organisation(const struct steps *steps)
{
        if (steps->count == 0)
                return steps->start;
        struct span last = steps->names[steps->count - 1];
        if (steps->records[steps->count - 1].psd == DMARC_PSD_YES && last.length < steps->start.length)
                return labels_from_right(steps->start, label_count(last) + 1);
        return last;
}

/* Names are ends of the same one: equal if they are as long. */
static void choose_record(const struct steps *steps, struct dmarc_walk *ret_walk)
{
        for (size_t i = 0; i < steps->count; i++)
                if (steps->names[i].length == ret_walk->organisation.length ||
                    (steps->records[i].psd == DMARC_PSD_YES && !ret_walk->has_record)) {
                        ret_walk->has_record = true;
                        ret_walk->record = steps->records[i];
                        ret_walk->record_domain = steps->names[i];
                }
}

enum fact dmarc_walk(struct span domain, struct memo *memo, struct dmarc_walk *ret_walk)
{
        struct steps steps = {.start = domain};
        enum fact fact = walk(&steps, memo);

        if (fact != FACT_FOUND)
                return fact;
        *ret_walk = (struct dmarc_walk){.organisation = organisation(&steps)};
        choose_record(&steps, ret_walk);
        return FACT_FOUND;
}
