/* A transaction: the envelope that the hop is told, and what it answers to it and to the text. */
#include "core/client/transaction.h"

#include "core/client/internal.h"

/* ---- recipients without a fate ------------------------------------------------------------------------- */

static void open_set(struct hop *hop, uint32_t recipient, bool is_open)
{
        uint64_t bit = UINT64_C(1) << recipient % 64;
        uint64_t *word = &hop->open[recipient / 64];

        *word = is_open ? *word | bit : *word & ~bit;
}

static uint32_t open_find(const struct hop *hop)
{
        uint32_t words = (hop->recipients + 63) / 64;

        for (uint32_t i = 0; i < words; i++)
                if (hop->open[i] != 0)
                        return i * 64 + (uint32_t)__builtin_ctzll(hop->open[i]);
        return UINT32_MAX;
}

bool hop_has_open(const struct hop *hop)
{
        return open_find(hop) != UINT32_MAX;
}

bool hop_take_open(struct hop *hop, uint32_t *ret_recipient)
{
        uint32_t recipient = open_find(hop);

        if (recipient == UINT32_MAX)
                return false;
        open_set(hop, recipient, false);
        *ret_recipient = recipient;
        return true;
}

/* ---- whether the hop can be asked ---------------------------------------------------------------------- */

const char *hop_fit_reply(enum hop_fit fit)
{
        static const char *const replies[] = {
            [HOP_FITS] = "",
            [HOP_UNREADY] = "451 4.3.2 the mail store is not ready",
            [HOP_UNFIT_SMTPUTF8] = "550 5.6.7 the mail store takes no internationalized mail",
            [HOP_UNFIT_EIGHT_BIT] = "554 5.6.3 the mail store takes no 8-bit text",
            [HOP_UNFIT_SIZE] = "552 5.3.4 message too big for the mail store",
            [HOP_UNFIT_SENDER] = "553 5.1.7 the mail store takes no such sender address",
            [HOP_UNFIT_RECIPIENT] = "553 5.1.3 the mail store takes no such recipient address",
            [HOP_UNFIT_COUNT] = "452 4.5.3 too many recipients",
        };
        return replies[fit];
}

/* It stays one path when it stands in brackets: outside of a quoted string there is no blank and no bracket, and
 * inside of it nothing that ends the command. */
static bool is_one_path(struct span address)
{
        bool is_quoted = false;

        if (address.length > HOP_ADDRESS_MAX || span_has_control(address) || !span_is_utf8(address))
                return false;
        for (size_t i = 0; i < address.length; i++) {
                char octet = address.at[i];
                if (is_quoted && octet == '\\')
                        i++;
                else if (octet == '"')
                        is_quoted = !is_quoted;
                else if (!is_quoted && (octet == ' ' || octet == '<' || octet == '>' || octet == '\\'))
                        return false;
        }
        return !is_quoted;
}

static enum hop_fit sender_fit(const struct hop *hop, const struct hop_sender *sender)
{
        if (!is_one_path(sender->address))
                return HOP_UNFIT_SENDER;
        if ((sender->is_smtputf8 || !span_is_ascii(sender->address)) && !hop_offers(hop, HOP_OFFERS_smtputf8))
                return HOP_UNFIT_SMTPUTF8;
        if (sender->is_eight_bit && !hop_offers(hop, HOP_OFFERS_eight_bit) && !hop->terms->sends_eight_bit)
                return HOP_UNFIT_EIGHT_BIT;
        return hop->size_max > 0 && sender->size > hop->size_max ? HOP_UNFIT_SIZE : HOP_FITS;
}

/* ---- the envelope -------------------------------------------------------------------------------------- */

static void put_mail(const struct hop *hop, const struct hop_sender *sender, struct text *out)
{
        text_put_string(out, "MAIL FROM:<");
        text_put(out, sender->address);
        text_put_char(out, '>');
        if (sender->size > 0 && hop_offers(hop, HOP_OFFERS_size)) {
                text_put_string(out, " SIZE=");
                text_put_number(out, sender->size);
        }
        if (sender->is_eight_bit && hop_offers(hop, HOP_OFFERS_eight_bit))
                text_put_string(out, " BODY=8BITMIME");
        if (hop->reader.utf8)
                text_put_string(out, " SMTPUTF8");
        text_put_string(out, "\r\n");
}

bool hop_takes_mail(const struct hop *hop)
{
        bool is_named = hop->resting == HOP_STATE_REST && hop_state(hop) == HOP_STATE_XFORWARD &&
                        hop_offers(hop, HOP_OFFERS_pipelining) && !hop->is_under_way;
        return hop_is_ready(hop) || is_named;
}

enum hop_fit hop_mail(struct hop *hop, const struct hop_sender *sender, struct text *out)
{
        enum hop_fit fit = hop_takes_mail(hop) ? sender_fit(hop, sender) : HOP_UNREADY;

        if (fit != HOP_FITS)
                return fit;
        hop->is_ready = false;
        hop->resting = HOP_STATE_OPEN;
        hop->is_under_way = true;
        hop->has_recipients = false;
        hop->reader.utf8 = sender->is_smtputf8 || !span_is_ascii(sender->address);
        hop->recipients = hop->answered = 0;
        hop->last = '\0';
        hop->begun_ms = hop->now_ms;
        hop->transactions++;
        put_mail(hop, sender, out);
        hop_owe(hop, HOP_STATE_MAIL);
        hop_set_deadline(hop);
        return HOP_FITS;
}

bool hop_takes(const struct hop *hop)
{
        return hop->resting == HOP_STATE_OPEN && hop_last_state(hop) != HOP_STATE_DATA &&
               (hop->owed_count == 0 ||
                (hop_offers(hop, HOP_OFFERS_pipelining) && hop->owed_count < HOP_WINDOW));
}

enum hop_fit hop_recipient(struct hop *hop, struct span address, struct text *out)
{
        if (!hop_takes(hop))
                return HOP_UNREADY;
        if (hop->recipients == HOP_RECIPIENTS_MAX)
                return HOP_UNFIT_COUNT;
        if (address.length == 0 || !is_one_path(address))
                return HOP_UNFIT_RECIPIENT;
        if (!hop->reader.utf8 && !span_is_ascii(address))
                return HOP_UNFIT_SMTPUTF8;
        text_put_string(out, "RCPT TO:<");
        text_put(out, address);
        text_put_string(out, ">\r\n");
        open_set(hop, hop->recipients++, true);
        hop_owe(hop, HOP_STATE_RCPT);
        hop_set_deadline(hop);
        return HOP_FITS;
}

void hop_data(struct hop *hop, struct text *out)
{
        if (!hop_takes(hop))
                return;
        if (hop_has_open(hop))
                hop_command(hop, HOP_STATE_DATA, "DATA", out);
        else
                hop_settle(hop, FATE_ABANDONED);
        hop_set_deadline(hop);
}

void hop_abandon(struct hop *hop)
{
        enum hop_state last = hop_last_state(hop);

        if (!hop->is_under_way || hop->is_settling)
                return;
        reply_say(&hop->answer, hop_state_name(hop), "we gave the message up");
        if (last == HOP_STATE_DOT)
                hop_close(hop, HOP_ENDED_BY_US, FATE_UNKNOWN);
        else if (last == HOP_STATE_DATA || last == HOP_STATE_TEXT || last == HOP_STATE_INTERRUPTED)
                hop_close(hop, HOP_ENDED_BY_US, FATE_ABANDONED);
        else
                hop_settle(hop, FATE_ABANDONED);
        hop_set_deadline(hop);
}

/* ---- what the hop answers ------------------------------------------------------------------------------ */

static enum hop_fate fate_of(unsigned class)
{
        return class == 2 ? FATE_DELIVERED : class == 4 ? FATE_DEFERRED : FATE_REFUSED;
}

/* The answer matters to somebody. */
static bool is_awaited(const struct hop *hop)
{
        return hop->is_under_way && !hop->is_settling;
}

enum hop_event hop_mail_answered(struct hop *hop, unsigned class, struct text *out)
{
        (void)out;
        hop->needs_reset = class == 2;
        if (class == 2)
                return is_awaited(hop) ? HOP_SENDER : HOP_WAITS;
        if (is_awaited(hop))
                hop_settle(hop, fate_of(class));
        return HOP_WAITS;
}

enum hop_event hop_rcpt_answered(struct hop *hop, unsigned class, struct text *out)
{
        uint32_t recipient = hop->answered++;

        (void)out;
        hop->has_recipients |= class == 2;
        hop->needs_reset |= class == 2;
        if (!is_awaited(hop))
                return HOP_WAITS;
        hop->recipient = recipient;
        if (class == 2)
                return HOP_RECIPIENT;
        open_set(hop, recipient, false);
        hop->fate = fate_of(class);
        return HOP_SETTLED;
}

/* The hop wants a text of which no recipient is left (RFC 2920 3.1). An empty one is no harm where it has none
 * either. */
static enum hop_event satisfy(struct hop *hop, struct text *out)
{
        if (hop->terms->protocol == HOP_LMTP || hop->has_recipients) {
                hop_fault(hop, "it wants a text for no recipient");
                return HOP_WAITS;
        }
        hop->needs_reset = false;
        hop_command(hop, HOP_STATE_LONE_DOT, ".", out);
        return HOP_WAITS;
}

enum hop_event hop_data_answered(struct hop *hop, unsigned class, struct text *out)
{
        bool is_awaited_by_one = is_awaited(hop) && hop_has_open(hop);

        if (class == 3 && is_awaited_by_one) {
                hop->resting = HOP_STATE_TEXT;
                hop->last = '\n';
                return HOP_GO_AHEAD;
        }
        if (is_awaited(hop))
                hop_settle(hop, class == 3 ? FATE_ABANDONED : fate_of(class));
        return class == 3 ? satisfy(hop, out) : HOP_WAITS;
}

/* One recipient after the other has its own (RFC 2033 4.2). */
static enum hop_event dot_answered_for_one(struct hop *hop, unsigned class)
{
        enum hop_fate fate = fate_of(class);

        expect(hop_take_open(hop, &hop->recipient));
        if (!hop_has_open(hop))
                hop_settle(hop, fate);
        else if (hop->answer.code != 421)
                hop_owe_again(hop, HOP_STATE_DOT);
        if (hop->answer.code == 421)
                hop_close(hop, HOP_ENDED_BY_CLOSE, FATE_UNKNOWN);
        hop->fate = fate;
        return HOP_SETTLED;
}

enum hop_event hop_dot_answered(struct hop *hop, unsigned class, struct text *out)
{
        (void)out;
        hop->needs_reset = false;
        if (hop->terms->protocol == HOP_LMTP)
                return dot_answered_for_one(hop, class);
        hop_settle(hop, fate_of(class));
        if (hop->answer.code == 421)
                hop_close(hop, HOP_ENDED_BY_CLOSE, FATE_DEFERRED);
        return HOP_WAITS;
}

enum hop_event hop_lone_dot_answered(struct hop *hop, unsigned class, struct text *out)
{
        (void)hop, (void)class, (void)out;
        return HOP_WAITS;
}
