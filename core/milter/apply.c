/* The header is written field by field: before each, what was inserted there; for each, the last edit that
 * changes it; at the end, what was added. */
#include "core/milter/apply.h"

#include "core/milter/fields.h"

/* A field that was inserted, in its place. */
struct insertion {
        const struct milter_edit *edit;
        uint32_t before; /* fields of the message in front of it */
};

struct application {
        const struct milter_edits *edits;
        struct content *made;
        struct content_pool *pool;
        bool is_whole; /* memory has not run out so far */
        struct insertion insertions[MILTER_EDITS_MAX];
        uint32_t inserted, written; /* insertions, and of those the ones that are in the text */
        /* Of each edit that changes a field: fields of its name that came so far. */
        uint32_t seen[MILTER_EDITS_MAX];
};

static void put(struct application *application, struct span octets)
{
        application->is_whole =
            application->is_whole && content_append(application->made, application->pool, octets);
}

static void put_field(struct application *application, struct span name, struct span value)
{
        put(application, name);
        put(application, SPAN(":"));
        put(application, value);
        put(application, SPAN("\r\n"));
}

static struct content_place copy(struct application *application, struct content_place place, size_t length)
{
        while (length > 0) {
                struct span piece = content_piece(place);
                if (piece.length == 0)
                        break;
                piece.length = piece.length < length ? piece.length : length;
                put(application, piece);
                place = content_skip(place, piece.length);
                length -= piece.length;
        }
        return place;
}

/* ---- insertions ---------------------------------------------------------------------------------------- */

static uint32_t count_fields(struct content_place place)
{
        struct field field;
        uint32_t count = 0;

        for (; field_read(place, &field); place = content_skip(place, field.length))
                count++;
        return count;
}

/* Those before it in the list keep their places, those behind it come to stand one further. A place behind the
 * end is the end. */
static void insert(struct application *application, const struct milter_edit *edit, uint32_t fields)
{
        struct insertion *insertions = application->insertions;
        uint32_t place = edit->index == 0 ? 0 : edit->index - 1, slot = 0;

        if (place > fields + application->inserted)
                place = fields + application->inserted;
        while (slot < application->inserted && insertions[slot].before + slot < place)
                slot++;
        memmove(insertions + slot + 1, insertions + slot,
                (application->inserted - slot) * sizeof insertions[0]);
        insertions[slot] = (struct insertion){edit, place - slot};
        application->inserted++;
}

/* Those that have so many fields of the message in front of them. */
static void write_insertions(struct application *application, uint32_t before)
{
        while (application->written < application->inserted &&
               application->insertions[application->written].before <= before) {
                const struct milter_edit *edit = application->insertions[application->written++].edit;
                put_field(application, edit->name, edit->value);
        }
}

/* ---- changes ------------------------------------------------------------------------------------------- */

static uint32_t number_of(const struct milter_edit *edit)
{
        return edit->index == 0 ? 1 : edit->index;
}

/* The last edit of the next field of this name; NULL: it stays as it is. */
static const struct milter_edit *change_of(struct application *application, struct span name)
{
        const struct milter_edit *change = NULL;
        uint32_t *seen = application->seen;

        for (const struct milter_edit *edit = application->edits->first; edit != NULL;
             edit = edit->next, seen++)
                if (edit->kind == MILTER_CHANGES_FIELD && span_equals_nocase(edit->name, name) &&
                    ++*seen == number_of(edit))
                        change = edit;
        return change;
}

static struct content_place write_fields(struct application *application, struct content_place place)
{
        struct field field;
        uint32_t count = 0;

        write_insertions(application, 0);
        while (application->is_whole && field_read(place, &field)) {
                const struct milter_edit *change = change_of(application, field_name(&field));
                if (change == NULL)
                        copy(application, place, field.length);
                else if (change->value.length > 0)
                        put_field(application, change->name, change->value);
                place = content_skip(place, field.length);
                write_insertions(application, ++count);
        }
        return place;
}

/* Of the changes of a field that is not there, the last one counts as well. */
static bool is_overruled(const struct milter_edit *edit)
{
        for (const struct milter_edit *later = edit->next; later != NULL; later = later->next)
                if (later->kind == MILTER_CHANGES_FIELD && number_of(later) == number_of(edit) &&
                    span_equals_nocase(later->name, edit->name))
                        return true;
        return false;
}

static void write_additions(struct application *application)
{
        const uint32_t *seen = application->seen;

        for (const struct milter_edit *edit = application->edits->first; edit != NULL;
             edit = edit->next, seen++)
                if (edit->kind == MILTER_ADDS_FIELD ||
                    (edit->kind == MILTER_CHANGES_FIELD && edit->value.length > 0 &&
                     *seen < number_of(edit) && !is_overruled(edit)))
                        put_field(application, edit->name, edit->value);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void write_text(struct application *application, const struct content *text, size_t own)
{
        bool has_blank_line;
        struct content_place place = copy(application, content_begin(text), own);

        place = write_fields(application, place);
        write_additions(application);
        struct content_place body = header_skip_end(place, &has_blank_line);
        if (has_blank_line || application->edits->replaces_body || body.block == NULL)
                put(application, SPAN("\r\n"));
        copy(application, body, application->edits->replaces_body ? 0 : text->length);
        for (const struct content_block *block = application->edits->body.first; block != NULL;
             block = block->next)
                put(application, span_of(block->octets, block->length));
}

bool milter_apply(const struct milter_edits *edits, const struct content *text, size_t own,
                  struct content *ret_text, struct content_pool *pool)
{
        struct content made = {0};
        struct application application = {.edits = edits, .made = &made, .pool = pool, .is_whole = true};
        uint32_t fields = count_fields(content_skip(content_begin(text), own));

        for (const struct milter_edit *edit = edits->first; edit != NULL; edit = edit->next)
                if (edit->kind == MILTER_INSERTS_FIELD)
                        insert(&application, edit, fields);
        write_text(&application, text, own);
        if (!application.is_whole) {
                content_release(&made, pool);
                return false;
        }
        *ret_text = made;
        return true;
}
