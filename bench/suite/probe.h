/* A thread that asks the bench's resolver two questions, one after the other, again and again: how long the
 * answers of a chain take at that time on that machine, whoever asks. */
#pragma once

#include "bench/load/histogram.h"

#include <stdint.h>

struct probe;

struct probe *probe_start(uint16_t dns_port);
/* Ends it and gives the chains' times in *ret_chains. */
void probe_stop(struct probe *probe, struct histogram *ret_chains);
