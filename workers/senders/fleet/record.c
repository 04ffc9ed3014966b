#include "workers/senders/fleet/record.h"

#include "workers/json/value.h"

#define FORMAT 1 /* a reader that knows no other one says so; new members need no new format */

/* ---- writing ------------------------------------------------------------------------------------------- */

static void put_string(struct text *text, const char *name, const char *string)
{
        text_printf(text, ",\"%s\":", name);
        text_put_json(text, span_from(string));
}

bool machine_record_write(const struct machine_record *record, struct text *text)
{
        text_printf(text, "{\"format\":%d", FORMAT);
        put_string(text, "machine", record->name);
        text_put_json_number(text, "time_s", (uint64_t)record->time_s);
        put_string(text, "version", record->version);
        text_put_json_number(text, "start_s", (uint64_t)record->start_s);
        put_string(text, "configuration", record->digest);
        text_put_json_number(text, "generation", record->generation);
        text_put_json_number(text, "in_force_s", (uint64_t)record->in_force_s);
        if (record->failed_s != 0)
                text_put_json_number(text, "reload_failed_s", (uint64_t)record->failed_s);
        text_put_json_number(text, "sessions", record->counts.sessions);
        text_put_json_number(text, "accepted", record->counts.accepted);
        text_put_json_number(text, "refused", record->counts.refused);
        text_put_json_number(text, "deferred", record->counts.deferred);
        if (record->shadow.digest[0] != '\0') {
                put_string(text, "shadow", record->shadow.digest);
                text_put_json_number(text, "compared", record->shadow.compared);
                text_put_json_number(text, "unknown", record->shadow.unknown);
                text_put_json_number(text, "refuses_more", record->shadow.refuses_more);
                text_put_json_number(text, "refuses_less", record->shadow.refuses_less);
                text_put_json_number(text, "defers_more", record->shadow.defers_more);
        }
        text_put_char(text, '}');
        return text_room(text) > 0;
}

/* ---- reading ------------------------------------------------------------------------------------------- */

/* False when it is there and is no number that could be counted. */
static bool read_number(const json_t *object, const char *name, uint64_t *ret_number)
{
        const json_t *value = json_object_get(object, name);

        if (value == NULL)
                return true;
        if (!json_is_integer(value) || json_integer_value(value) < 0)
                return false;
        *ret_number = (uint64_t)json_integer_value(value);
        return true;
}

#define LAST_SECOND INT64_C(253402300799) /* of the year 9999 */

static bool read_time(const json_t *object, const char *name, int64_t *ret_time_s)
{
        uint64_t number = (uint64_t)*ret_time_s;

        if (!read_number(object, name, &number) || number > LAST_SECOND)
                return false;
        *ret_time_s = (int64_t)number;
        return true;
}

static bool read_digest(struct span text, char ret_digest[static CONFIGURATION_DIGEST_SIZE])
{
        uint8_t octets[CONFIGURATION_DIGEST_SIZE / 2];

        if (text.length != CONFIGURATION_DIGEST_SIZE - 1 || !span_hex(text, octets, sizeof octets))
                return false;
        span_copy_cut(text, ret_digest, CONFIGURATION_DIGEST_SIZE);
        return true;
}

static bool is_word(struct span text, size_t size)
{
        return text.length > 0 && text.length < size && span_is_utf8(text) && !span_has_control(text);
}

static const char *read_members(const json_t *object, struct span name, struct machine_record *record)
{
        struct span version = value_of(object, "version");
        const json_t *format = json_object_get(object, "format");
        bool has_shadow = json_object_get(object, "shadow") != NULL;

        if (!json_is_integer(format))
                return "it is no record of a machine";
        if (json_integer_value(format) != FORMAT)
                return "its format is not known to this version of gatepost";
        if (!is_word(name, sizeof record->name) || !span_equals(value_of(object, "machine"), name))
                return "it is not the record of this machine";
        if (!is_word(version, sizeof record->version) ||
            !read_digest(value_of(object, "configuration"), record->digest) ||
            (has_shadow && !read_digest(value_of(object, "shadow"), record->shadow.digest)))
                return "it says what no machine says";
        span_copy_cut(name, record->name, sizeof record->name);
        span_copy_cut(version, record->version, sizeof record->version);
        if (!read_time(object, "time_s", &record->time_s) ||
            !read_time(object, "start_s", &record->start_s) ||
            !read_time(object, "in_force_s", &record->in_force_s) ||
            !read_time(object, "reload_failed_s", &record->failed_s) ||
            !read_number(object, "generation", &record->generation) ||
            !read_number(object, "sessions", &record->counts.sessions) ||
            !read_number(object, "accepted", &record->counts.accepted) ||
            !read_number(object, "refused", &record->counts.refused) ||
            !read_number(object, "deferred", &record->counts.deferred) ||
            !read_number(object, "compared", &record->shadow.compared) ||
            !read_number(object, "unknown", &record->shadow.unknown) ||
            !read_number(object, "refuses_more", &record->shadow.refuses_more) ||
            !read_number(object, "refuses_less", &record->shadow.refuses_less) ||
            !read_number(object, "defers_more", &record->shadow.defers_more))
                return "a number of it is none";
        return NULL;
}

const char *machine_record_read(struct span line, struct span name, struct machine_record *ret_record)
{
        struct machine_record record = {0};

        if (line.length > MACHINE_RECORD_MAX)
                return "it is too long";
        json_t *object = json_loadb(line.at, line.length, JSON_REJECT_DUPLICATES, NULL);
        const char *fault =
            json_is_object(object) ? read_members(object, name, &record) : "it is no record of a machine";
        json_decref(object);
        if (fault == NULL)
                *ret_record = record;
        return fault;
}
