/* An order on its way from the control thread to the main thread, and its answer on the way back. One is under way at a
 * time. */
#pragma once

#include "core/base/text.h"

#include <stdatomic.h>
#include <stdint.h>

enum control_order {
#define ORDER(word, ...) CONTROL_ORDER_##word,
#include "workers/control/orders.def"
        CONTROL_ORDER_COUNT
};

enum control_argument { CONTROL_TAKES_NOTHING, CONTROL_TAKES_NUMBER, CONTROL_TAKES_WORDS };

/* Of each order. */
extern const enum control_argument control_order_arguments[CONTROL_ORDER_COUNT];
extern const char *const control_order_words[CONTROL_ORDER_COUNT];
extern const char *const control_order_purposes[CONTROL_ORDER_COUNT];

/* Who has it. */
enum control_job_stage { CONTROL_JOB_FREE, CONTROL_JOB_GIVEN, CONTROL_JOB_DONE };

#define CONTROL_LINE_MAX   1024  /* octets of an order, with its newline */
#define CONTROL_ANSWER_MAX 65536 /* octets of an answer; a line more is left out, and the last one says so */

struct control_job {
        _Atomic int stage; /* enum control_job_stage; what follows belongs to whoever has the job */
        enum control_order order;
        uint64_t number;              /* behind the word; 0: none */
        char words[CONTROL_LINE_MAX]; /* the same; empty: none */
        uint32_t user, process;       /* of whoever has sent it */
        struct text answer;           /* whole lines; a line that has no room is left out */
};

/* Main thread: a line {"NAME":"VALUE"} of the answer. */
void control_job_tell(struct control_job *job, const char *name, struct span value);
/* Main thread: the last line of the answer. `error`: why it was not done, or NULL. */
void control_answer_end(struct text *answer, const char *error);
