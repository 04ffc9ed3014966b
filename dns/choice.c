/* Choosing by insertion: few are chosen. */
#include "dns/choice.h"

static unsigned by_preference(const struct dns_record *record, const void *context)
{
        (void)context;
        return record->preference;
}

static int compare(const struct dns_record *left, const struct dns_record *right)
{
        size_t common = left->data.length < right->data.length ? left->data.length : right->data.length;
        int order = common == 0 ? 0 : memcmp(left->data.at, right->data.at, common);

        if (order != 0)
                return order;
        if (left->data.length != right->data.length)
                return left->data.length < right->data.length ? -1 : 1;
        return (int)left->preference - (int)right->preference;
}

size_t dns_choose(const struct dns_answer *answer, dns_rank *rank, const void *context,
                  const struct dns_record **ret_chosen, size_t max)
{
        size_t count = 0;

        if (rank == NULL)
                rank = by_preference;
        for (uint16_t i = 0; i < answer->record_count; i++) {
                const struct dns_record *record = &answer->records[i];
                unsigned own = rank(record, context);
                size_t at = count < max ? count++ : max;
                for (; at > 0; at--) {
                        unsigned other = rank(ret_chosen[at - 1], context);
                        if (own > other || (own == other && compare(record, ret_chosen[at - 1]) >= 0))
                                break;
                        if (at < max)
                                ret_chosen[at] = ret_chosen[at - 1];
                }
                if (at < max)
                        ret_chosen[at] = record;
        }
        return count;
}
