/* Reads the keys of the log's pseudonyms. */
#include "conf/build/log_keys.h"

#include "conf/build/internal.h"
#include "conf/text/entries.h"
#include "conf/text/source.h"

#include <stdlib.h>

static bool complain(struct conf_complaints *complaints, const struct place *place, const char *path,
                     const char *message)
{
        conf_complain(complaints, COMPLAINT_ERROR, place, "log_pseudonym_key_file: %s: %s", path, message);
        return false;
}

static bool read_entries(struct pseudonym_keys *keys, struct span text, const char *path,
                         struct conf_complaints *complaints)
{
        struct span entry;

        for (uint32_t line = 0; (entry = entry_take(&text, &line)).length > 0;) {
                const char *message = pseudonym_keys_add(keys, entry);
                if (message == NULL)
                        continue;
                conf_complain(complaints, COMPLAINT_ERROR, &(struct place){path, line}, "%s", message);
                return false;
        }
        return true;
}

bool log_keys_read_any(struct pseudonym_keys *ret_keys, const char *path, const struct place *place,
                       struct conf_complaints *complaints)
{
        struct source source = {0};
        struct source_fault fault;

        ret_keys->count = 0;
        if (build_file_is_public(path))
                return complain(complaints, place, path,
                                "every user of this machine may read it; chmod o= makes it a secret");
        if (!source_read(&source, path, &fault))
                return complain(complaints, place, path, fault.message);
        bool is_read = read_entries(ret_keys, span_without_mark(span_of(source.octets, source.length)), path,
                                    complaints);
        explicit_bzero(source.octets, source.length);
        free(source.octets);
        return is_read;
}

bool log_keys_read(struct pseudonym_keys *ret_keys, const char *path, const struct place *place,
                   struct conf_complaints *complaints)
{
        bool is_read = log_keys_read_any(ret_keys, path, place, complaints);

        if (is_read && ret_keys->count == 0)
                return complain(complaints, place, path, "holds no key; gatepost log new-key makes one");
        return is_read;
}

void build_finish_log_keys(struct builder *builder)
{
        struct snapshot *snapshot = builder->snapshot;
        const char *path = snapshot->options.log_pseudonym_key_file;
        bool is_named = path[0] != '\0';
        struct place place = build_option_place(builder, is_named ? OPTION_AT_log_pseudonym_key_file
                                                                  : OPTION_AT_log_addresses);

        if (snapshot->options.log_addresses == LOG_ADDRESSES_PLAIN)
                return;
        struct pseudonym_keys *keys = arena_take(&snapshot->memory, sizeof *keys);
        snapshot->log_keys = keys;
        if (keys == NULL)
                builder->out_of_memory = true;
        else if (is_named)
                log_keys_read(keys, path, &place, builder->complaints);
        else
                conf_complain(builder->complaints, COMPLAINT_ERROR, &place,
                              "log_addresses: pseudonyms need log_pseudonym_key_file");
}
