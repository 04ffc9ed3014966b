/* The list of edits, and the checks that each has to pass. */
#include "core/milter/edits.h"

#include "core/mail/claims.h"
#include "core/mail/field_name.h"
#include "core/milter/lines.h"

void milter_edits_begin(struct milter_edits *edits, struct arena *arena, struct content_pool *pool,
                        const struct snapshot *snapshot, uint64_t body_max)
{
        *edits = (struct milter_edits){
            .arena = arena, .pool = pool, .snapshot = snapshot, .body_max = body_max, .body_last = '\n'};
}

void milter_edits_end(struct milter_edits *edits)
{
        content_release(&edits->body, edits->pool);
        milter_edits_begin(edits, edits->arena, edits->pool, edits->snapshot, edits->body_max);
}

enum milter_edit_outcome milter_edit_refuse(struct milter_edits *edits, const char *why)
{
        edits->refused++;
        edits->refusal = why;
        return MILTER_EDIT_REFUSED;
}

/* ---- the list ------------------------------------------------------------------------------------------ */

/* Counts octets that are to be kept; false: there are too many. */
static bool take_room(struct milter_edits *edits, size_t octets)
{
        if (octets > MILTER_EDITS_OCTETS_MAX - edits->octets)
                return false;
        edits->octets += (uint32_t)octets;
        return true;
}

static enum milter_edit_outcome append(struct milter_edits *edits, const struct milter_edit *parts)
{
        struct milter_edit *edit;

        if (edits->count == MILTER_EDITS_MAX || !take_room(edits, parts->name.length + parts->value.length) ||
            (edit = arena_take(edits->arena, sizeof *edit)) == NULL)
                return MILTER_EDIT_BOUND;
        *edit = *parts;
        edit->name = arena_copy(edits->arena, parts->name);
        edit->value = arena_copy(edits->arena, parts->value);
        if (edit->name.at == NULL || edit->value.at == NULL)
                return MILTER_EDIT_BOUND;
        if (edits->last == NULL)
                edits->first = edit;
        else
                edits->last->next = edit;
        edits->last = edit;
        edits->count++;
        return MILTER_EDIT_TAKEN;
}

/* ---- fields -------------------------------------------------------------------------------------------- */

static bool is_blank(char octet)
{
        return octet == ' ' || octet == '\t';
}

static size_t blanks_at_front(struct span span)
{
        size_t count = 0;

        while (count < span.length && is_blank(span.at[count]))
                count++;
        return count;
}

/* Why the line cannot stand in a field, or NULL. A folded line of blanks alone may be taken for the end of the
 * header. */
static const char *line_fault(struct span line, bool is_first)
{
        if (!is_first && (line.length == 0 || !is_blank(line.at[0])))
                return "a line of its field does not begin with a blank";
        if (!is_first && blanks_at_front(line) == line.length)
                return "a line of its field is blank";
        for (size_t i = 0; i < line.length; i++)
                if (ascii_is_control(line.at[i]) && line.at[i] != '\t')
                        return "a control in its field";
        return NULL;
}

/* Appends the value as it will stand. NULL, or why it cannot. */
static const char *put_value(struct text *text, struct span value, bool has_blank)
{
        const char *fault = NULL;

        if (!has_blank)
                text_put_char(text, ' ');
        for (bool is_first = true; value.length > 0 && fault == NULL; is_first = false) {
                struct span line = milter_take_line(&value);
                fault = line_fault(line, is_first);
                if (!is_first)
                        text_put_string(text, "\r\n");
                text_put(text, line);
        }
        return fault;
}

/* The field says that we have checked the message, and that is for us to say. */
static enum milter_edit_outcome judge_claim(struct milter_edits *edits, struct span name, struct span value)
{
        struct content kept = {0};
        struct claims claims;

        if (edits->snapshot == NULL)
                return MILTER_EDIT_TAKEN;
        claims_init(&claims, edits->snapshot);
        bool has_memory = claims_read(&claims, name, &kept, edits->pool) &&
                          claims_read(&claims, SPAN(":"), &kept, edits->pool) &&
                          claims_read(&claims, value, &kept, edits->pool) &&
                          claims_read(&claims, SPAN("\r\n"), &kept, edits->pool) &&
                          claims_end(&claims, &kept, edits->pool);
        content_release(&kept, edits->pool);
        if (!has_memory)
                return MILTER_EDIT_BOUND;
        return claims.removed == 0 ? MILTER_EDIT_TAKEN : milter_edit_refuse(edits, "a field in our name");
}

enum milter_edit_outcome milter_edit_field(struct milter_edits *edits, enum milter_edit_kind kind,
                                           uint32_t index, struct span name, struct span value,
                                           bool has_blank)
{
        struct milter_edit edit = {.kind = kind, .index = index, .name = name, .value = SPAN("")};
        size_t lines = 1;
        struct text text;

        if (!field_name_is_valid(name, MILTER_NAME_MAX))
                return milter_edit_refuse(edits, "no name of a field");
        if (kind == MILTER_CHANGES_FIELD && value.length == 0)
                return append(edits, &edit);
        for (size_t i = 0; i < value.length; i++)
                lines += value.at[i] == '\n';
        size_t size = value.length + lines + 1;
        char *octets = size > MILTER_EDITS_OCTETS_MAX ? NULL : arena_take(edits->arena, size);
        if (octets == NULL)
                return MILTER_EDIT_BOUND;
        text_over(&text, octets, size);
        const char *fault = put_value(&text, value, has_blank);
        if (fault != NULL)
                return milter_edit_refuse(edits, fault);
        edit.value = text_span(&text);
        enum milter_edit_outcome outcome = judge_claim(edits, name, edit.value);
        return outcome == MILTER_EDIT_TAKEN ? append(edits, &edit) : outcome;
}

/* ---- envelope ------------------------------------------------------------------------------------------ */

/* It may stand in a command, and in the brackets of one. Whether it is an address, and whose, the caller asks as
 * of one that a client gave. */
static bool is_address(struct span address)
{
        if (address.length > MILTER_ADDRESS_MAX || span_has_control(address) || !span_is_utf8(address))
                return false;
        return span_find(address, ' ') == SIZE_MAX && span_find(address, '<') == SIZE_MAX &&
               span_find(address, '>') == SIZE_MAX;
}

enum milter_edit_outcome milter_edit_address(struct milter_edits *edits, enum milter_edit_kind kind,
                                             struct span address, struct span parameters)
{
        bool has_brackets =
            address.length >= 2 && address.at[0] == '<' && address.at[address.length - 1] == '>';
        struct milter_edit edit = {.kind = kind,
                                   .name =
                                       has_brackets ? span_of(address.at + 1, address.length - 2) : address,
                                   .value = parameters.length == 0 ? SPAN("") : parameters};

        if (!is_address(edit.name) || (edit.name.length == 0 && kind != MILTER_CHANGES_SENDER))
                return milter_edit_refuse(edits, "no address");
        if (span_has_control(parameters) || !span_is_ascii(parameters))
                return milter_edit_refuse(edits, "a control in its parameters");
        return append(edits, &edit);
}

enum milter_edit_outcome milter_edit_quarantine(struct milter_edits *edits, struct span reason)
{
        struct text text;

        if (!take_room(edits, reason.length))
                return MILTER_EDIT_BOUND;
        char *octets = arena_take(edits->arena, reason.length + 1);
        if (octets == NULL)
                return MILTER_EDIT_BOUND;
        text_over(&text, octets, reason.length);
        text_put_printable(&text, reason, true);
        edits->quarantines = true;
        edits->quarantine = text_span(&text);
        return MILTER_EDIT_TAKEN;
}

/* ---- body ---------------------------------------------------------------------------------------------- */

static enum milter_edit_outcome put_body(struct milter_edits *edits, struct span octets)
{
        return octets.length <= edits->body_max - edits->body.length &&
                       content_append(&edits->body, edits->pool, octets)
                   ? MILTER_EDIT_TAKEN
                   : MILTER_EDIT_BOUND;
}

/* An end of a line, or an octet behind a CR that is none. */
static enum milter_edit_outcome put_special(struct milter_edits *edits, struct span *piece)
{
        char octet = piece->at[0], last = edits->body_last;

        if (last == '\r' && octet != '\n') {
                edits->body_last = ' ';
                return put_body(edits, SPAN(" "));
        }
        edits->body_last = octet;
        *piece = span_skip(*piece, 1);
        return octet == '\n' ? put_body(edits, SPAN("\r\n")) : MILTER_EDIT_TAKEN;
}

enum milter_edit_outcome milter_edit_body(struct milter_edits *edits, struct span piece)
{
        enum milter_edit_outcome outcome = MILTER_EDIT_TAKEN;

        edits->replaces_body = true;
        while (piece.length > 0 && outcome == MILTER_EDIT_TAKEN) {
                size_t plain = 0;
                while (edits->body_last != '\r' && plain < piece.length && piece.at[plain] != '\r' &&
                       piece.at[plain] != '\n')
                        plain++;
                if (plain == 0) {
                        outcome = put_special(edits, &piece);
                        continue;
                }
                edits->body_last = piece.at[plain - 1];
                outcome = put_body(edits, span_of(piece.at, plain));
                piece = span_skip(piece, plain);
        }
        return outcome;
}

enum milter_edit_outcome milter_edit_body_end(struct milter_edits *edits)
{
        if (!edits->replaces_body || edits->body_last == '\n')
                return MILTER_EDIT_TAKEN;
        bool has_cr = edits->body_last == '\r';
        edits->body_last = '\n';
        return put_body(edits, has_cr ? SPAN(" \r\n") : SPAN("\r\n"));
}
