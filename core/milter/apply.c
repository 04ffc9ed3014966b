/* The header is written field by field: before each, what was inserted there; for each, the last edit that
 * changes it; at the end, what was added. */
#include "core/milter/apply.h"

#include "core/milter/fields.h"

#include <stdlib.h>
#include <strings.h>

/* A field that was inserted, in its place. */
struct insertion {
        const struct milter_edit *edit;
        uint32_t before; /* fields of the message in front of it */
};

struct change {
        const struct milter_edit *edit;
        uint32_t place; /* in the list of edits */
};

/* The changes of fields of one name. */
struct changed_name {
        uint32_t next, end; /* of the changes: those of fields that have not come so far */
        uint32_t seen;      /* fields of that name that have */
};

struct application {
        const struct milter_edits *edits;
        struct content *made;
        struct content_pool *pool;
        bool is_whole; /* memory has not run out so far */
        struct insertion insertions[MILTER_EDITS_MAX];
        uint32_t inserted, written; /* insertions, and of those the ones that are in the text */
        /* By names, of one name by numbers, of one field by their place: so a field costs a search for its name, be
         * there as many changes as may. */
        struct change changes[MILTER_EDITS_MAX];
        struct changed_name names[MILTER_EDITS_MAX];
        uint32_t change_count, name_count;
        bool is_added[MILTER_EDITS_MAX]; /* of the edit at this place: its field stands at the end */
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

/* An order of names, their case aside, that mostly needs no look at them. */
static int compare_names(struct span left, struct span right)
{
        if (left.length != right.length)
                return left.length < right.length ? -1 : 1;
        return strncasecmp(left.at, right.at, left.length);
}

static int compare_changes(const void *left_at, const void *right_at)
{
        const struct change *left = left_at, *right = right_at;
        int order = compare_names(left->edit->name, right->edit->name);

        if (order != 0)
                return order;
        if (number_of(left->edit) != number_of(right->edit))
                return number_of(left->edit) < number_of(right->edit) ? -1 : 1;
        return left->place < right->place ? -1 : 1;
}

static void sort_changes(struct application *application)
{
        struct change *changes = application->changes;
        uint32_t place = 0;

        for (const struct milter_edit *edit = application->edits->first; edit != NULL;
             edit = edit->next, place++)
                if (edit->kind == MILTER_CHANGES_FIELD)
                        changes[application->change_count++] = (struct change){edit, place};
        qsort(changes, application->change_count, sizeof changes[0], compare_changes);
        for (uint32_t i = 0; i < application->change_count; i++) {
                if (i == 0 || compare_names(changes[i - 1].edit->name, changes[i].edit->name) != 0)
                        application->names[application->name_count++] = (struct changed_name){.next = i};
                application->names[application->name_count - 1].end = i + 1;
        }
}

/* NULL: no change is of a field of this name. */
static struct changed_name *find_name(struct application *application, struct span name)
{
        uint32_t low = 0, high = application->name_count;

        while (low < high) {
                uint32_t middle = low + (high - low) / 2;
                struct changed_name *found = &application->names[middle];
                int order = compare_names(name, application->changes[found->end - 1].edit->name);
                if (order == 0)
                        return found;
                if (order < 0)
                        high = middle;
                else
                        low = middle + 1;
        }
        return NULL;
}

/* The last edit of the next field of this name; NULL: it stays as it is. */
static const struct milter_edit *change_of(struct application *application, struct span name)
{
        struct changed_name *changed = find_name(application, name);
        const struct milter_edit *change = NULL;

        if (changed == NULL)
                return NULL;
        for (changed->seen++; changed->next < changed->end; changed->next++) {
                const struct milter_edit *edit = application->changes[changed->next].edit;
                if (number_of(edit) > changed->seen)
                        break;
                change = edit;
        }
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
static void choose_additions(struct application *application, const struct changed_name *changed)
{
        const struct change *changes = application->changes;

        for (uint32_t i = changed->next; i < changed->end; i++) {
                bool is_last =
                    i + 1 == changed->end || number_of(changes[i + 1].edit) != number_of(changes[i].edit);
                application->is_added[changes[i].place] = is_last && changes[i].edit->value.length > 0;
        }
}

static void write_additions(struct application *application)
{
        const bool *is_added = application->is_added;

        for (uint32_t i = 0; i < application->name_count; i++)
                choose_additions(application, &application->names[i]);
        for (const struct milter_edit *edit = application->edits->first; edit != NULL;
             edit = edit->next, is_added++)
                if (edit->kind == MILTER_ADDS_FIELD || *is_added)
                        put_field(application, edit->name, edit->value);
}

/* ---- the whole ----------------------------------------------------------------------------------------- */

static void write_text(struct application *application, const struct content *text, size_t own)
{
        struct content_place place = copy(application, content_begin(text), own);

        place = write_fields(application, place);
        write_additions(application);
        struct content_place body = header_skip_end(place, NULL);
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
        uint32_t fields = field_count(content_skip(content_begin(text), own), UINT32_MAX);

        for (const struct milter_edit *edit = edits->first; edit != NULL; edit = edit->next)
                if (edit->kind == MILTER_INSERTS_FIELD)
                        insert(&application, edit, fields);
        sort_changes(&application);
        write_text(&application, text, own);
        if (!application.is_whole) {
                content_release(&made, pool);
                return false;
        }
        *ret_text = made;
        return true;
}
