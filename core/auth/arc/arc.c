/* The steps are those of RFC 8617 5.2. */
#include "core/auth/arc/arc.h"

static void set(struct arc *arc, enum auth_result result, const char *reason)
{
        arc->result = result;
        arc->reason = reason;
}

/* ---- sets ---------------------------------------------------------------------------------------------- */

enum part { PART_RESULTS = 1, PART_MESSAGE = 2, PART_SEAL = 4, PARTS = 7 };

static enum part part_of(const struct auth_header *header, size_t field)
{
        return auth_field_is(header, field, SPAN("arc-seal"))                     ? PART_SEAL
               : auth_field_is(header, field, SPAN("arc-message-signature"))      ? PART_MESSAGE
               : auth_field_is(header, field, SPAN("arc-authentication-results")) ? PART_RESULTS
                                                                                  : 0;
}

static void keep_part(struct arc *arc, const struct auth_header *header, size_t field, enum part part,
                      uint16_t instance)
{
        struct arc_set *set = &arc->sets[instance - 1];

        if (part == PART_RESULTS)
                set->results = (uint16_t)field;
        else
                signature_parse(header, field, part == PART_SEAL ? SIGNATURE_ARC_SEAL : SIGNATURE_ARC_MESSAGE,
                                part == PART_SEAL ? &set->seal : &set->message);
}

/* The instance of any of the three: in the signatures "i=" may stand anywhere. */
static uint16_t instance_of(const struct auth_header *header, size_t field, enum part part)
{
        struct span rest = auth_field_value(header, field);
        struct tag tag;

        if (part == PART_RESULTS || rest.length > SIGNATURE_FIELD_MAX)
                return arc_instance_read(rest);
        while (rest.length > 0) {
                struct span before = rest;
                if (tag_next(&rest, &tag) == TAG_FOUND && span_equals(tag.name, SPAN("i")))
                        return arc_instance_read(before);
        }
        return 0;
}

/* Takes a field of ARC. False: there is no chain. */
static bool take_field(struct arc *arc, const struct auth_header *header, size_t field, uint8_t *parts)
{
        enum part part = part_of(header, field);
        uint16_t instance;

        if (part == 0)
                return true;
        instance = instance_of(header, field, part);
        if (instance == 0) {
                set(arc, AUTH_FAIL, "a field of ARC has no instance");
                return false;
        }
        if (instance > ARC_SETS_MAX) {
                set(arc, AUTH_POLICY, "the chain has more sets than are judged");
                return false;
        }
        if ((parts[instance - 1] & part) != 0) {
                set(arc, AUTH_FAIL, "a set has a field twice");
                return false;
        }
        parts[instance - 1] |= (uint8_t)part;
        arc->count = instance > arc->count ? instance : arc->count;
        keep_part(arc, header, field, part, instance);
        return true;
}

/* RFC 8617 5.2, steps 2 and 3: what the seals say of the chain. */
static void check_structure(struct arc *arc, const uint8_t *parts)
{
        for (size_t i = 0; i < arc->count; i++) {
                const struct auth_signature *seal = &arc->sets[i].seal;
                if (parts[i] != PARTS)
                        set(arc, AUTH_FAIL, "a set is not whole");
                else if (seal->result != AUTH_WAIT)
                        set(arc, AUTH_FAIL, seal->reason);
                else if (seal->cv == ARC_CV_FAIL)
                        set(arc, AUTH_FAIL, "a sealer has found the chain broken");
                else if ((seal->cv == ARC_CV_NONE) != (i == 0))
                        set(arc, AUTH_FAIL, "cv= does not fit its place in the chain");
                else
                        continue;
                return;
        }
}

static void take_fields(struct arc *arc, const struct auth_header *header)
{
        uint8_t parts[ARC_SETS_MAX] = {0};

        for (size_t i = 0; i < header->count; i++)
                if (!take_field(arc, header, i, parts))
                        return;
        if (arc->count > 0)
                arc->result = AUTH_WAIT;
        check_structure(arc, parts);
}

void arc_begin(struct arc *arc, struct auth_text *text)
{
        arc->count = 0;
        arc->oldest_pass = 0;
        arc->octets_digested = 0;
        set(arc, AUTH_NONE, "");
        take_fields(arc, &text->header);
        if (arc->result != AUTH_NONE && !auth_header_is_kept(&text->header))
                set(arc, text->header.is_too_large ? AUTH_POLICY : AUTH_TEMPERROR,
                    "the header could not be kept");
        if (arc->result != AUTH_WAIT)
                return;
        for (size_t i = 0; i < arc->count; i++)
                if (arc->sets[i].message.result == AUTH_WAIT)
                        text->wants[arc->sets[i].message.body_canon] = true;
}

bool arc_ask(const struct arc *arc, struct memo *memo)
{
        bool is_pending = false;

        for (size_t i = 0; i < arc->count && arc->result == AUTH_WAIT; i++) {
                is_pending = signature_ask(&arc->sets[i].seal, memo) || is_pending;
                is_pending = signature_ask(&arc->sets[i].message, memo) || is_pending;
        }
        return is_pending;
}

/* ---- signatures ---------------------------------------------------------------------------------------- */

/* RFC 8617 5.1.1: a seal covers all sets up to its own, in their order, always relaxed. */
static void seal_digest(struct arc *arc, const struct auth_header *header, size_t index,
                        uint8_t ret_digest[static AUTH_DIGEST_SIZE])
{
        struct field_digest digest;

        field_digest_init(&digest);
        for (size_t i = 0; i <= index; i++) {
                const struct arc_set *set = &arc->sets[i];
                field_digest_add(&digest, header, set->results, CANON_RELAXED);
                field_digest_add(&digest, header, set->message.field, CANON_RELAXED);
                if (i < index)
                        field_digest_add(&digest, header, set->seal.field, CANON_RELAXED);
        }
        field_digest_add_last(&digest, header, arc->sets[index].seal.field, CANON_RELAXED,
                              arc->sets[index].seal.hole);
        arc->octets_digested += digest.octets;
        field_digest_end(&digest, ret_digest);
}

/* The newest message signature must verify; how far down they do tells since when nothing was altered. */
static void judge_messages(struct arc *arc, const struct auth_text *text, struct memo *memo, int64_t now_s)
{
        bool is_unbroken = true;

        for (size_t i = arc->count; i-- > 0 && is_unbroken;) {
                struct auth_signature *message = &arc->sets[i].message;
                signature_judge(message, text, memo, now_s);
                is_unbroken = message->result == AUTH_PASS;
                if (is_unbroken)
                        arc->oldest_pass = (uint16_t)(i + 1);
                else if (i + 1 == arc->count)
                        set(arc, message->result == AUTH_TEMPERROR ? AUTH_TEMPERROR : AUTH_FAIL,
                            message->reason);
        }
}

static void judge_seals(struct arc *arc, const struct auth_text *text, struct memo *memo)
{
        uint8_t digest[AUTH_DIGEST_SIZE];

        for (size_t i = arc->count; i-- > 0 && arc->result == AUTH_WAIT;) {
                struct auth_signature *seal = &arc->sets[i].seal;
                seal_digest(arc, &text->header, i, digest);
                signature_judge_digest(seal, digest, memo);
                if (seal->result != AUTH_PASS)
                        set(arc, seal->result == AUTH_TEMPERROR ? AUTH_TEMPERROR : AUTH_FAIL, seal->reason);
        }
}

bool arc_judge(struct arc *arc, const struct auth_text *text, struct memo *memo, int64_t now_s)
{
        if (arc->result != AUTH_WAIT)
                return true;
        if (arc_ask(arc, memo))
                return false;
        judge_messages(arc, text, memo, now_s);
        judge_seals(arc, text, memo);
        if (arc->result == AUTH_WAIT)
                set(arc, AUTH_PASS, "");
        return true;
}

/* ---- trust --------------------------------------------------------------------------------------------- */

uint16_t arc_trusted_instance(const struct arc *arc, const struct arc_trust *trust)
{
        bool all_above_are_trusted = true;
        uint16_t found = 0;

        if (arc->result != AUTH_PASS)
                return 0;
        for (uint16_t instance = (uint16_t)arc->count; instance > 0; instance--) {
                bool is_unaltered = instance >= arc->oldest_pass;
                bool is_trusted = trust->is_trusted(trust, arc->sets[instance - 1].seal.domain);
                if (is_trusted && (is_unaltered || all_above_are_trusted))
                        found = instance;
                all_above_are_trusted = all_above_are_trusted && is_trusted;
        }
        return found;
}

/* ---- what a sealer has written: "i=1; mx.example; spf=fail smtp.mailfrom=x; dmarc=pass" ------------------ */

/* Cuts the next part, to a ";" outside comments and quotes, off *rest. False: one of these has no end. */
static bool take_part(struct span *rest, struct span *ret_part)
{
        size_t depth = 0, at = 0;
        bool is_quoted = false;

        for (; at < rest->length; at++) {
                char c = rest->at[at];
                if (c == '\\' && (is_quoted || depth > 0))
                        at++;
                else if (c == '"' && depth == 0)
                        is_quoted = !is_quoted;
                else if (c == '(' && !is_quoted)
                        depth++;
                else if (c == ')' && !is_quoted && depth > 0)
                        depth--;
                else if (c == ';' && !is_quoted && depth == 0)
                        break;
        }
        at = at < rest->length ? at : rest->length;
        *ret_part = tag_trim(span_of(rest->at, at));
        *rest = span_skip(*rest, at + 1);
        return !is_quoted && depth == 0;
}

enum saying { SAYS_NOTHING, SAYS_PASS, SAYS_OTHER };

/* "dmarc=pass", "dmarc = pass (...)"; not "dmarc=passed". */
static enum saying part_says(struct span part, struct span method)
{
        if (!span_starts_nocase(part, method))
                return SAYS_NOTHING;
        part = tag_trim(span_skip(part, method.length));
        if (part.length == 0 || part.at[0] != '=')
                return SAYS_NOTHING;
        part = tag_trim(span_skip(part, 1));
        return span_starts_nocase(part, SPAN("pass")) &&
                       (part.length == 4 || tag_is_blank(part.at[4]) || part.at[4] == '(')
                   ? SAYS_PASS
                   : SAYS_OTHER;
}

bool arc_says_pass(const struct arc *arc, const struct auth_header *header, uint16_t instance,
                   struct span method)
{
        bool is_pass = false;
        struct span part;

        if (instance == 0 || instance > arc->count)
                return false;
        struct span rest = auth_field_value(header, arc->sets[instance - 1].results);
        while (rest.length > 0) {
                if (!take_part(&rest, &part))
                        return false;
                enum saying saying = part_says(part, method);
                if (saying == SAYS_OTHER)
                        return false;
                is_pass = is_pass || saying == SAYS_PASS;
        }
        return is_pass;
}
