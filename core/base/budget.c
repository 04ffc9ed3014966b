/* Leases of a budget. */
#include "core/base/budget.h"

#include "core/base/expect.h"

void budget_set(struct budget *budget, uint64_t max, uint64_t tight_percent)
{
        uint64_t tight_at = max / 100 * tight_percent, latest = max / 8 * 7;

        atomic_store_explicit(&budget->tight_at, tight_at < latest ? tight_at : latest, memory_order_relaxed);
        atomic_store_explicit(&budget->max, max, memory_order_relaxed);
}

enum budget_level budget_level(const struct budget *budget, enum budget_level before)
{
        uint64_t leased = atomic_load_explicit(&budget->leased, memory_order_relaxed);
        uint64_t max = atomic_load_explicit(&budget->max, memory_order_relaxed);
        uint64_t tight_at = atomic_load_explicit(&budget->tight_at, memory_order_relaxed);
        uint64_t spent_at = max / 16 * 15;

        if (before == BUDGET_SPENT)
                spent_at -= max / 32;
        if (before >= BUDGET_TIGHT)
                tight_at -= tight_at / 16;
        if (leased >= spent_at)
                return BUDGET_SPENT;
        return leased >= tight_at ? BUDGET_TIGHT : BUDGET_EASY;
}

/* So much more, as long as no more than `limit` is out. */
static bool lease(struct budget *budget, uint64_t octets, uint64_t limit)
{
        uint64_t leased = atomic_load_explicit(&budget->leased, memory_order_relaxed);

        do {
                if (leased > limit || octets > limit - leased)
                        return false;
        } while (!atomic_compare_exchange_weak_explicit(&budget->leased, &leased, leased + octets,
                                                        memory_order_relaxed, memory_order_relaxed));
        return true;
}

bool account_lease(struct account *account, size_t octets, enum budget_use use)
{
        uint64_t max = atomic_load_explicit(&account->budget->max, memory_order_relaxed);
        uint64_t limit = use == BUDGET_FOR_TEXT ? max - max / 32 : max;
        uint64_t missing = account->held + octets - account->leased;

        /* Near the end exactly what is missing. */
        if (lease(account->budget, missing + ACCOUNT_STEP, limit))
                account->leased += missing + ACCOUNT_STEP;
        else if (lease(account->budget, missing, limit))
                account->leased += missing;
        else
                return false;
        return true;
}

void account_return(struct account *account)
{
        uint64_t spare = account->leased - account->held - ACCOUNT_STEP;

        expect(account->leased - account->held >= ACCOUNT_STEP);
        account->leased -= spare;
        atomic_fetch_sub_explicit(&account->budget->leased, spare, memory_order_relaxed);
}
