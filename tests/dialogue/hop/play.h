/* The directives of a script of a next hop. */
#pragma once

#include "tests/dialogue/exchange/exchange.h"
#include "tests/dialogue/hop/peer.h"

/* ---- caller.c: directives of what the caller does */

void hop_play_mail(struct exchange *play, const struct step *step);
void hop_play_rcpt(struct exchange *play, const struct step *step);
void hop_play_data(struct exchange *play, const struct step *step);
void hop_play_text(struct exchange *play, const struct step *step);
void hop_play_dot(struct exchange *play, const struct step *step);
void hop_play_abandon(struct exchange *play, const struct step *step);
void hop_play_name(struct exchange *play, const struct step *step);
void hop_play_quit(struct exchange *play, const struct step *step);
