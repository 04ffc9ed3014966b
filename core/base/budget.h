/* A bound on the memory that strangers can make the whole process hold. Each thread has an account that counts its
 * own octets exactly, and takes room for them from the budget in large pieces, so that the word that all threads
 * share is written seldom. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum budget_level {
        BUDGET_EASY,
        BUDGET_TIGHT, /* what can go elsewhere should */
        BUDGET_SPENT, /* nothing new should begin; what is under way has the rest */
};

struct budget {
        /* Octets that accounts have, in use or not. */
        _Alignas(64) _Atomic uint64_t leased;
        /* Written by one thread, at the start and at a reload. */
        _Alignas(64) _Atomic uint64_t max;
        _Atomic uint64_t tight_at;
        _Atomic int told; /* enum budget_level: what the log knows */
};

/* What the octets are for. Message text stops a little before the end, so that commands can still be answered. */
enum budget_use { BUDGET_FOR_TEXT, BUDGET_FOR_REST };

/* Owner: one thread. */
struct account {
        struct budget *budget;
        uint64_t held;   /* octets in use, and unused ones that are kept */
        uint64_t leased; /* of the budget; at least `held` */
};

/* Tight from `tight_percent` of `max` on, or a little before the end. It may be set anew at any time. */
void budget_set(struct budget *budget, uint64_t max, uint64_t tight_percent);
/* How full the budget is. A level that was reached is left only when some more is free than when it began. */
enum budget_level budget_level(const struct budget *budget, enum budget_level before);

/* Less than half of what makes it tight is out: what is only better to have may be kept. */
static inline bool budget_has_plenty(const struct budget *budget)
{
        return atomic_load_explicit(&budget->leased, memory_order_relaxed) <
               atomic_load_explicit(&budget->tight_at, memory_order_relaxed) / 2;
}

/* For those below: gets more of the budget, or gives some back. */
bool account_lease(struct account *account, size_t octets, enum budget_use use);
void account_return(struct account *account);

#define ACCOUNT_STEP ((uint64_t)128 << 10)

/* False, and nothing is counted, when the budget has no room. NULL is the account of those whom nothing bounds. */
static inline bool account_take(struct account *account, size_t octets, enum budget_use use)
{
        if (account == NULL)
                return true;
        if (account->held + octets > account->leased && !account_lease(account, octets, use))
                return false;
        account->held += octets;
        return true;
}

static inline void account_give_back(struct account *account, size_t octets)
{
        if (account == NULL)
                return;
        account->held -= octets;
        if (account->leased - account->held > 2 * ACCOUNT_STEP)
                account_return(account);
}
