/* A try, from a message that is due to its outcome on the disk. All of it belongs to the drain's thread. */
#pragma once

#include "workers/journal/drain.h"

/* Reads the message, which is taken out of its queue. NULL when it is put back, or given up because it is damaged. */
struct journal_delivery *try_begin(struct journal_drain *drain, uint32_t entry);
/* What another thread wants dropped. */
void tries_drop(struct journal_drain *drain);
/* Hands out what is due, as much as may be. */
void tries_hand_out(struct journal_drain *drain);
/* Sees to what a hop thread has returned. */
void try_returned(struct journal_drain *drain, struct journal_delivery *delivery);
/* The message has waited long enough: who waits still is dead. */
void try_give_up(struct journal_drain *drain, struct journal_delivery *delivery, const char *reason);
/* The writer has seen to the order. */
void try_recorded(struct journal_drain *drain, struct journal_delivery *delivery);
/* Sends those to the writer again that it could not write. */
void tries_record_again(struct journal_drain *drain);
/* The thread ends: it waits for them no more. Their outcomes are lost, as in a crash. */
void tries_forget_unrecorded(struct journal_drain *drain);
/* It has waited for the lifetime, as the clock on the wall says: one more try in vain, and it is given up. */
bool try_is_old(const struct journal_drain *drain, const struct journal_entry *entry, uint64_t now_ms);
/* The same of one that no try is to be waited for: its destination could not be reached for retry_max. */
bool try_is_hopeless(const struct journal_drain *drain, const struct journal_entry *entry, uint64_t now_ms,
                     uint64_t monotonic_ms);
void try_send_order(struct journal_drain *drain, struct journal_delivery *delivery);
