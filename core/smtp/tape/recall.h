/* What a session that is played again is told by the tape of the one that was: host->recall. */
#pragma once

#include "core/check/pipeline.h"
#include "core/senders/rates.h"

struct session;

/* Its client had a good history. */
bool tape_had_good_history(const struct session *session);
/* The command was too much of this kind. */
bool tape_had_excess(const struct session *session, enum rate_kind kind);
/* An answer is not on the tape. */
bool tape_lacks_answer(const struct session *session);
/* What kept the text from being judged: `fault` is what this session sees. */
enum reply_id tape_text_fault(const struct session *session, enum reply_id fault);
/* The verdicts on the text. */
void tape_judge_text(struct session *session, struct verdict_list *list);
