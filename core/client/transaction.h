/* A transaction with a next hop: MAIL, RCPT and DATA. With PIPELINING up to HOP_WINDOW commands may be given
 * before the first is answered, DATA as the last; without it one at a time. hop_takes() says when. */
#pragma once

#include "core/client/hop.h"

#define HOP_ADDRESS_MAX 254 /* RFC 5321 4.5.3.1.3, without the brackets */

struct hop_sender {
        struct span address; /* without brackets; empty: the null sender */
        uint64_t size;       /* octets of the message, about; 0: not known yet */
        bool is_eight_bit;   /* the text may have octets above 127 (RFC 6152) */
        bool is_smtputf8;    /* addresses or header may have such (RFC 6531) */
};

/* Whether the hop can be asked. Where it cannot, nothing has been sent, and hop_fit_reply() is what the sender is
 * told. */
enum hop_fit {
        HOP_FITS,
        HOP_UNREADY, /* not now: hop_takes_mail() or hop_takes() is false, maybe because it has spoken unasked */
        HOP_UNFIT_SMTPUTF8,
        HOP_UNFIT_EIGHT_BIT,
        HOP_UNFIT_SIZE,
        HOP_UNFIT_SENDER,    /* its octets cannot stand in a command */
        HOP_UNFIT_RECIPIENT, /* the same */
        HOP_UNFIT_COUNT,     /* one recipient too many: it needs a transaction of its own */
};

/* "550 5.6.7 ...". For HOP_FITS it is empty. */
const char *hop_fit_reply(enum hop_fit fit);

/* A transaction may begin now: after READY, and with PIPELINING also at once after a hop_name_client() by
 * XFORWARD. */
bool hop_takes_mail(const struct hop *hop);
/* A recipient may be given now, or DATA. */
bool hop_takes(const struct hop *hop);
/* SENDER follows, or OVER. */
enum hop_fit hop_mail(struct hop *hop, const struct hop_sender *sender, struct text *out);
/* The address without brackets. Its number is hop->recipients before the call. RECIPIENT or SETTLED follows. */
enum hop_fit hop_recipient(struct hop *hop, struct span address, struct text *out);
/* The recipients are complete. Nothing happens unless hop_takes(). GO_AHEAD follows, or each has its fate, or OVER
 * where none was left. */
void hop_data(struct hop *hop, struct text *out);
/* Nothing is to be delivered: also how a question whether recipients exist ends. Where the text has been asked for
 * the connection is closed, so that no half of it can be taken for a whole; a dot that is out makes the fates
 * UNKNOWN. */
void hop_abandon(struct hop *hop);
