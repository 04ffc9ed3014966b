/* What a filter answers: the options, verdicts, and edits. */
#include "core/milter/internal.h"

#define VERSION_LEAST  2u
#define VERSION_MOST   6u
#define VERSION_DATA   4u    /* the first that knows DATA */
#define OLD_STEPS      0x7fu /* all that version 2 knows */
#define OPTIONS_OCTETS 12u

/* ---- data of a frame ----------------------------------------------------------------------------------- */

static bool take_u32(struct span *data, uint32_t *ret_number)
{
        uint32_t number = 0;

        if (data->length < 4)
                return false;
        for (unsigned i = 0; i < 4; i++)
                number = number << 8 | (unsigned char)data->at[i];
        *data = span_skip(*data, 4);
        *ret_number = number;
        return true;
}

/* One that ends with a NUL. */
static bool take_string(struct span *data, struct span *ret_string)
{
        size_t nul = span_find(*data, '\0');

        if (nul == SIZE_MAX)
                return false;
        *ret_string = span_of(data->at, nul);
        *data = span_skip(*data, nul + 1);
        return true;
}

static enum milter_event bad_frame(struct milter *milter)
{
        milter_fail(milter, MILTER_FAILED_BY_FAULT, "its answer is not well formed");
        return MILTER_WAITS;
}

/* ---- options ------------------------------------------------------------------------------------------- */

/* What was not offered is not granted, whoever asks for it. Some filters say more behind, which is of no use to
 * us. */
static enum milter_event take_options(struct milter *milter, struct span data)
{
        uint32_t version, actions, steps;

        if (!take_u32(&data, &version) || !take_u32(&data, &actions) || !take_u32(&data, &steps))
                return bad_frame(milter);
        if (version < VERSION_LEAST || version > VERSION_MOST) {
                milter_fail(milter, MILTER_FAILED_BY_FAULT, "it speaks another version");
                return MILTER_WAITS;
        }
        milter->version = version;
        milter->actions = actions & milter->terms->actions;
        milter->steps = version == VERSION_LEAST ? steps & OLD_STEPS : steps;
        if (version < VERSION_DATA)
                milter->steps |= MILTER_STEP_no_data;
        (void)milter_answered(milter);
        return MILTER_READY;
}

/* ---- verdicts ------------------------------------------------------------------------------------------ */

static enum milter_scope scope_of(const struct milter *milter, enum milter_verdict verdict)
{
        enum milter_scope scope = milter_rows[milter->stage].scope;

        if (verdict == MILTER_SHUTS_DOWN)
                return MILTER_FOR_CONNECTION;
        if (verdict == MILTER_CONTINUES)
                return MILTER_FOR_COMMAND;
        if (scope == MILTER_FOR_COMMAND && (verdict == MILTER_ACCEPTS || verdict == MILTER_DISCARDS))
                return MILTER_FOR_MESSAGE;
        return scope;
}

static enum milter_event judge(struct milter *milter, enum milter_verdict verdict)
{
        if (milter->edits != NULL && milter_edit_body_end(milter->edits) != MILTER_EDIT_TAKEN) {
                milter_fail(milter, MILTER_FAILED_BY_BOUND, "its new body is too large");
                return MILTER_WAITS;
        }
        milter->judgement.verdict = verdict;
        milter->judgement.scope = scope_of(milter, verdict);
        return milter_answered(milter);
}

static enum milter_event take_words(struct milter *milter, struct span data)
{
        struct milter_reply *reply = &milter->judgement.reply;
        struct span words;

        if (!take_string(&data, &words) || data.length > 0)
                return bad_frame(milter);
        if (!milter_reply_read(words, reply)) {
                milter_fail(milter, MILTER_FAILED_BY_FAULT, "its words are no reply");
                return MILTER_WAITS;
        }
        return judge(milter, reply->code == 421  ? MILTER_SHUTS_DOWN
                             : reply->code < 500 ? MILTER_DEFERS
                                                 : MILTER_REJECTS);
}

static enum milter_event skip_body(struct milter *milter)
{
        if ((milter->steps & MILTER_STEP_skips_body) == 0) {
                milter_fail(milter, MILTER_FAILED_BY_FAULT, "it skips, and has not said that it would");
                return MILTER_WAITS;
        }
        milter->is_skipping = true;
        return milter_answered(milter);
}

/* ---- edits --------------------------------------------------------------------------------------------- */

static bool is_granted(const struct milter *milter, char octet)
{
        static const struct {
                uint32_t bits;
                const char *answers;
        } actions[] = {
#define ACTION(name, bits, answers) {bits, answers},
#include "core/milter/actions.def"
#undef ACTION
        };
        for (size_t i = 0; i < sizeof actions / sizeof actions[0]; i++)
                if (strchr(actions[i].answers, octet) != NULL)
                        return (milter->actions & actions[i].bits) != 0;
        return false;
}

static void heed(struct milter *milter, enum milter_edit_outcome outcome)
{
        if (outcome == MILTER_EDIT_BOUND)
                milter_fail(milter, MILTER_FAILED_BY_BOUND, "it wants too much changed");
}

static bool take_field(struct milter *milter, char octet, struct span data)
{
        enum milter_edit_kind kind = octet == 'h'   ? MILTER_ADDS_FIELD
                                     : octet == 'i' ? MILTER_INSERTS_FIELD
                                                    : MILTER_CHANGES_FIELD;
        bool has_blank = (milter->steps & MILTER_STEP_keeps_blank) != 0;
        struct span name, value;
        uint32_t index = 0;

        if ((octet != 'h' && !take_u32(&data, &index)) || !take_string(&data, &name) ||
            !take_string(&data, &value) || data.length > 0)
                return false;
        heed(milter, milter_edit_field(milter->edits, kind, index, name, value, has_blank));
        return true;
}

/* Each parameter is a string; together they are words. */
static bool take_address(struct milter *milter, char octet, struct span data)
{
        enum milter_edit_kind kind = octet == '-'   ? MILTER_DELETES_RECIPIENT
                                     : octet == 'e' ? MILTER_CHANGES_SENDER
                                                    : MILTER_ADDS_RECIPIENT;
        bool has_parameters = octet == '2' || octet == 'e';
        struct span address, parameters = SPAN("");

        if (!take_string(&data, &address) ||
            (data.length > 0 && (!has_parameters || !take_string(&data, &parameters) || data.length > 0)))
                return false;
        heed(milter, milter_edit_address(milter->edits, kind, address, parameters));
        return true;
}

static bool take_quarantine(struct milter *milter, struct span data)
{
        struct span reason;

        if (!take_string(&data, &reason) || data.length > 0)
                return false;
        heed(milter, milter_edit_quarantine(milter->edits, reason));
        return true;
}

static enum milter_event take_edit(struct milter *milter, char octet, struct span data)
{
        bool is_well_formed;

        if (!is_granted(milter, octet)) {
                (void)milter_edit_refuse(milter->edits, "what it was not granted");
                return MILTER_WAITS;
        }
        if (octet == 'h' || octet == 'i' || octet == 'm')
                is_well_formed = take_field(milter, octet, data);
        else if (octet == 'q')
                is_well_formed = take_quarantine(milter, data);
        else
                is_well_formed = take_address(milter, octet, data);
        return is_well_formed ? MILTER_WAITS : bad_frame(milter);
}

void milter_take_body(struct milter *milter, struct span piece)
{
        if (is_granted(milter, 'b'))
                heed(milter, milter_edit_body(milter->edits, piece));
        else if (piece.length == 0)
                (void)milter_edit_refuse(milter->edits, "what it was not granted");
}

/* ---- all of them --------------------------------------------------------------------------------------- */

static enum milter_event take_verdict(struct milter *milter, char octet)
{
        switch (octet) {
        case 'c':
                return judge(milter, MILTER_CONTINUES);
        case 'a':
                return judge(milter, MILTER_ACCEPTS);
        case 'r':
                return judge(milter, MILTER_REJECTS);
        case 't':
                return judge(milter, MILTER_DEFERS);
        case 'd':
                return judge(milter, MILTER_DISCARDS);
        case 's':
                return skip_body(milter);
        default: /* 4 and f */
                return judge(milter, MILTER_SHUTS_DOWN);
        }
}

enum milter_event milter_take_answer(struct milter *milter, char octet, struct span data)
{
        if (octet == 'O')
                return take_options(milter, data);
        if (octet == 'y')
                return take_words(milter, data);
        if (strchr("himb+2-eq", octet) != NULL)
                return take_edit(milter, octet, data);
        return data.length > 0 ? bad_frame(milter) : take_verdict(milter, octet);
}
