/* A connection before, between and after its transactions: the greeting, what the hop offers, TLS, RSET and QUIT. */
#include "core/client/connection.h"

#include "core/client/internal.h"
#include "core/client/naming.h"

static const char *const offers[HOP_OFFERS] = {
#define OFFER(name, keyword) [HOP_OFFERS_##name] = keyword,
#include "core/client/offers.def"
#undef OFFER
};

static const enum hop_offer naming_offers[] = {[HOP_NAMES_NOBODY] = HOP_OFFERS,
                                               [HOP_NAMES_BY_XCLIENT] = HOP_OFFERS_xclient,
                                               [HOP_NAMES_BY_XFORWARD] = HOP_OFFERS_xforward};

/* Not served by this hop, or not so: the connection ends politely, without waiting for an answer. */
static enum hop_event leave(struct hop *hop, enum hop_ending ending, struct text *out)
{
        text_put_string(out, "QUIT\r\n");
        hop_close(hop, ending, FATE_BROKEN);
        return HOP_WAITS;
}

/* ---- greeting ------------------------------------------------------------------------------------------ */

static void say_name(struct hop *hop, enum hop_state state, const char *verb, struct text *out)
{
        text_put_string(out, verb);
        text_put_string(out, hop->terms->hostname);
        text_put_string(out, "\r\n");
        hop_owe(hop, state);
}

void hop_say_hello(struct hop *hop, struct text *out)
{
        hop->offers = hop->attributes = 0;
        hop->size_max = 0;
        say_name(hop, HOP_STATE_EHLO, hop->terms->protocol == HOP_LMTP ? "LHLO " : "EHLO ", out);
}

enum hop_event hop_greeted(struct hop *hop, unsigned class, struct text *out)
{
        if (class != 2)
                return leave(hop, HOP_ENDED_BY_REFUSAL, out);
        hop_say_hello(hop, out);
        return HOP_WAITS;
}

void hop_read_offer(struct hop *hop, struct span line)
{
        struct span rest = span_trim(line), keyword = span_take_word(&rest);

        for (unsigned offer = 0; offer < HOP_OFFERS; offer++)
                if (span_equals_nocase(keyword, span_from(offers[offer]))) {
                        hop->offers |= 1u << offer;
                        if (offer == HOP_OFFERS_size && !span_number(rest, &hop->size_max))
                                hop->size_max = 0;
                        if (offer == naming_offers[hop->terms->naming])
                                hop->attributes = naming_attributes(rest);
                }
}

enum hop_event hop_ehlo_answered(struct hop *hop, unsigned class, struct text *out)
{
        bool wants_tls = !hop->is_secured && hop->terms->starttls != HOP_STARTTLS_NONE;
        bool needs_tls = wants_tls && hop->terms->starttls == HOP_STARTTLS_MUST;

        if (class != 2) {
                if (class == 4 || hop->terms->protocol == HOP_LMTP || needs_tls)
                        return leave(hop, HOP_ENDED_BY_REFUSAL, out);
                say_name(hop, HOP_STATE_HELO, "HELO ", out);
        } else if (wants_tls && hop_offers(hop, HOP_OFFERS_starttls) && !hop->is_plain_to_stay) {
                hop_command(hop, HOP_STATE_STARTTLS, "STARTTLS", out);
        } else if (needs_tls) {
                reply_say(&hop->answer, hop->answer.state, "it does not offer STARTTLS");
                return leave(hop, HOP_ENDED_BY_TLS, out);
        }
        return HOP_WAITS;
}

enum hop_event hop_helo_answered(struct hop *hop, unsigned class, struct text *out)
{
        return class == 2 ? HOP_WAITS : leave(hop, HOP_ENDED_BY_REFUSAL, out);
}

/* ---- TLS ----------------------------------------------------------------------------------------------- */

enum hop_event hop_starttls_answered(struct hop *hop, unsigned class, struct text *out)
{
        if (class == 2) {
                hop->resting = HOP_STATE_HANDSHAKE;
                return HOP_SECURE;
        }
        if (hop->terms->starttls == HOP_STARTTLS_MUST)
                return leave(hop, HOP_ENDED_BY_TLS, out);
        hop->is_plain_to_stay = true;
        return HOP_WAITS;
}

enum hop_event hop_secured(struct hop *hop, struct text *out)
{
        if (hop->resting == HOP_STATE_HANDSHAKE) {
                hop->is_secured = true;
                hop->resting = HOP_STATE_REST;
                hop_say_hello(hop, out);
        }
        return hop_input(hop, &(struct span){0}, out);
}

enum hop_event hop_handshake_failed(struct hop *hop, const char *reason, struct text *out)
{
        if (hop->resting == HOP_STATE_HANDSHAKE) {
                reply_say(&hop->answer, hop_state_name(hop), reason);
                hop_close(hop, HOP_ENDED_BY_TLS, FATE_BROKEN);
        }
        return hop_input(hop, &(struct span){0}, out);
}

/* ---- between transactions ------------------------------------------------------------------------------ */

enum hop_event hop_reset_answered(struct hop *hop, unsigned class, struct text *out)
{
        return class == 2 ? HOP_WAITS : leave(hop, HOP_ENDED_BY_REFUSAL, out);
}

enum hop_event hop_quit_answered(struct hop *hop, unsigned class, struct text *out)
{
        (void)class, (void)out;
        hop_close(hop, HOP_ENDED_BY_QUIT, FATE_BROKEN);
        return HOP_WAITS;
}

/* In a text this may be the hop's last word on it, for a disk is full or a message too large. */
enum hop_event hop_interrupted(struct hop *hop, unsigned class, struct text *out)
{
        (void)out;
        if (hop->last != '\0' && class >= 4)
                hop_close(hop, HOP_ENDED_BY_REFUSAL, class == 4 ? FATE_DEFERRED : FATE_REFUSED);
        else
                hop_fault(hop, "it speaks without being asked");
        return HOP_WAITS;
}

void hop_quit(struct hop *hop, struct text *out)
{
        if (!hop_is_ready(hop))
                return;
        hop->is_ready = false;
        hop_command(hop, HOP_STATE_QUIT, "QUIT", out);
        hop_set_deadline(hop);
}
