/* A thread that asks the bench's resolver two questions, one after the other, again and again: how long the
 * answers of a chain take at that time on that machine, whoever asks. */
#pragma once

#include "bench/load/histogram.h"

#include <stdint.h>

struct chain_timer;

/* Starts the thread. */
struct chain_timer *chain_timer_start(uint16_t dns_port);
/* Ends it and gives the chains' times in *ret_chains. */
void chain_timer_stop(struct chain_timer *timer, struct histogram *ret_chains);
