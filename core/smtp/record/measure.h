/* What is counted of each judgement, in sessions that are measured: which checks were against. */
#pragma once

#include "core/smtp/internal.h"

/* The session begins: one in measure_every of them is measured. */
void measure_begin(struct session *session);
/* The checks that still wait for an answer and are not off, as a bit mask. */
uint64_t measure_waits(const struct verdict_list *lists, size_t list_count,
                       const struct check_setting *settings);
/* What is parked waits for these checks, a bit mask, until measure_wait_over(). Sessions that are measured do not
 * count: they wait for what nobody else does. */
void measure_wait(struct session *session, uint64_t waits_for);
void measure_wait_over(struct session *session);
/* The verdicts on the lists have come to a result. */
void measure_judgement(struct session *session, const struct verdict_list *lists, size_t list_count,
                       const struct check_setting *settings);
