/* The keys of bounce_reference, from a file of their own: a secret belongs into no file that many may
 * read. */
#include "conf/build/internal.h"
#include "conf/text/entries.h"
#include "conf/text/source.h"

#include <stdlib.h>

#define SECRET_MIN 16
#define SECRET_MAX 64 /* one block of the digests, and what Exim takes */

static void complain(struct builder *builder, uint32_t line, const char *message)
{
        const char *path = builder->snapshot->options.bounce_reference_keys;
        conf_complain(builder->complaints, COMPLAINT_ERROR, &(struct place){path, line}, "%s", message);
}

/* NULL, or what is wrong with "N:secret". */
static const char *add_key(struct builder *builder, struct span entry)
{
        struct snapshot *snapshot = builder->snapshot;
        struct span secret = span_skip(entry, 2);

        if (entry.length < 2 || !ascii_is_digit(entry.at[0]) || entry.at[1] != ':')
                return "must be N:secret, with a digit N that tags name the key by";
        if (secret.length < SECRET_MIN || secret.length > SECRET_MAX)
                return "a secret has 16 to 64 characters";
        for (size_t i = 0; i < secret.length; i++)
                if (secret.at[i] <= ' ' || secret.at[i] > '~')
                        return "a secret has no blanks, and no characters but ASCII";
        for (size_t i = 0; i < snapshot->tag_key_count; i++)
                if (snapshot->tag_keys[i].id == entry.at[0])
                        return "a second key of this number";
        snapshot->tag_keys[snapshot->tag_key_count++] =
            (struct tag_key){entry.at[0], arena_copy(&snapshot->memory, secret)};
        builder->out_of_memory =
            builder->out_of_memory || snapshot->tag_keys[snapshot->tag_key_count - 1].secret.at == NULL;
        return NULL;
}

static void read_entries(struct builder *builder, struct span text)
{
        struct span entry;

        for (uint32_t line = 0; (entry = entry_take(&text, &line)).length > 0;) {
                const char *message = add_key(builder, entry);
                if (message != NULL)
                        complain(builder, line, message);
        }
}

static void warn_of_readers(struct builder *builder, struct place place)
{
        const char *path = builder->snapshot->options.bounce_reference_keys;

        if (build_file_is_public(path))
                conf_complain(builder->complaints, COMPLAINT_WARNING, &place,
                              "keys: %s: every user of this machine may read it, and forge tags", path);
}

void build_finish_keys(struct builder *builder)
{
        struct options *options = &builder->snapshot->options;
        struct place place = build_option_place(builder, OPTION_AT_bounce_reference_keys);
        struct source source = {0};
        struct source_fault fault;

        if (options->bounce_reference_keys[0] != '\0') {
                if (!source_read(&source, options->bounce_reference_keys, &fault)) {
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "keys: %s: %s",
                                      options->bounce_reference_keys, fault.message);
                        return;
                }
                read_entries(builder, span_without_mark(span_of(source.octets, source.length)));
                explicit_bzero(source.octets, source.length);
                free(source.octets);
                warn_of_readers(builder, place);
                if (builder->snapshot->tag_key_count == 0)
                        conf_complain(builder->complaints, COMPLAINT_ERROR, &place, "keys: %s: holds no key",
                                      options->bounce_reference_keys);
        } else if (options->bounce_reference_require_tag) {
                place = build_option_place(builder, OPTION_AT_bounce_reference_require_tag);
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "require_tag: needs keys: without any no tag is valid");
        }
}
