/* The directives of a script of a filter. */
#pragma once

#include "tests/dialogue/exchange/exchange.h"
#include "tests/dialogue/milter/peer.h"

/* ---- caller.c: directives of what the caller does */

void milter_play_macro(struct exchange *play, const struct step *step);
void milter_play_connect(struct exchange *play, const struct step *step);
void milter_play_helo(struct exchange *play, const struct step *step);
void milter_play_mail(struct exchange *play, const struct step *step);
void milter_play_rcpt(struct exchange *play, const struct step *step);
void milter_play_data(struct exchange *play, const struct step *step);
void milter_play_text(struct exchange *play, const struct step *step);
void milter_play_give(struct exchange *play, const struct step *step);
void milter_play_end(struct exchange *play, const struct step *step);
void milter_play_abort(struct exchange *play, const struct step *step);
void milter_play_quit(struct exchange *play, const struct step *step);
void milter_play_apply(struct exchange *play, const struct step *step);
