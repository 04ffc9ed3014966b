/* Answers, in lines of JSON. */
#include "workers/control/job.h"

const char *const control_order_words[CONTROL_ORDER_COUNT] = {
#define ORDER(word, ...) #word,
#include "workers/control/orders.def"
};

const char *const control_order_purposes[CONTROL_ORDER_COUNT] = {
#define ORDER(word, argument, purpose) purpose,
#include "workers/control/orders.def"
};

const enum control_argument control_order_arguments[CONTROL_ORDER_COUNT] = {
#define ORDER(word, argument, purpose) CONTROL_TAKES_##argument,
#include "workers/control/orders.def"
};

/* Octets kept for it: an error of an eighth, each octet of which may be escaped by six. */
#define LAST_LINE_ROOM 4096

void control_job_tell(struct control_job *job, const char *name, struct span value)
{
        struct text *answer = &job->answer, line;

        /* So that a line is there whole or not at all, and the last one always. */
        text_over(&line, answer->at + answer->length,
                  text_room(answer) > LAST_LINE_ROOM ? text_room(answer) - LAST_LINE_ROOM : 0);
        text_put_char(&line, '{');
        text_put_json(&line, span_from(name));
        text_put_char(&line, ':');
        text_put_json(&line, value);
        text_put(&line, SPAN("}\n"));
        if (!line.overflowed)
                answer->length += line.length;
        answer->overflowed |= line.overflowed;
}

void control_answer_end(struct text *answer, const char *error)
{
        text_put(answer, error == NULL ? SPAN("{\"ok\":true") : SPAN("{\"ok\":false,\"error\":"));
        if (error != NULL)
                text_put_json(answer, span_of(error, strnlen(error, LAST_LINE_ROOM / 8)));
        if (answer->overflowed)
                text_put(answer, SPAN(",\"cut\":true"));
        text_put(answer, SPAN("}\n"));
}
