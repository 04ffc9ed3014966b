/* What the files of the dialogue with a filter share. */
#pragma once

#include "core/base/expect.h"
#include "core/milter/milter.h"

struct milter_row {
        const char *name;
        char octet;
        enum milter_state first, last;
        uint32_t left_out, silent;
        const char *answers;
        enum milter_scope scope;
        enum milter_patience patience;
};

extern const struct milter_row milter_rows[MILTER_STATES];

/* ---- milter.c */

/* The step begins a frame of ours: true when it is to be written. */
bool milter_begin_step(struct milter *milter, enum milter_state step);
/* It has been written. */
enum milter_event milter_end_step(struct milter *milter);
/* It is not told, or has no reply: by `judgement` as it is. */
enum milter_event milter_answered(struct milter *milter);
void milter_fail(struct milter *milter, enum milter_failure failure, const char *why);
/* Anew after each call, for the state may have changed. */
void milter_set_deadline(struct milter *milter);

/* ---- frame.c */

void milter_put_u32(struct text *out, uint32_t number);
/* The length comes when the frame ends. Returns where it is to be put. */
size_t milter_begin_frame(struct text *out, char command);
void milter_end_frame(struct text *out, size_t frame);
/* With a NUL at its end, and none in it. */
void milter_put_string(struct text *out, struct span string);

/* ---- answer.c */

/* A whole frame of the filter, whose octet the state allows. WAITS: there is nothing to tell. */
enum milter_event milter_take_answer(struct milter *milter, char octet, struct span data);
/* A piece of a new body; an empty one begins a frame. */
void milter_take_body(struct milter *milter, struct span piece);
