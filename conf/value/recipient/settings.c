/* How settings of a recipient are read, and kept together. */
#include "conf/value/recipient/settings.h"

#include "conf/value/next_hop.h"
#include "conf/value/value.h"

#include <stdio.h>

/* The first blank that no quotes hide, or the end. */
static size_t word_end(struct span text)
{
        bool in_quotes = false;
        size_t at = 0;

        for (; at < text.length; at++) {
                if (text.at[at] == '"')
                        in_quotes = !in_quotes;
                else if (in_quotes && text.at[at] == '\\')
                        at++;
                else if (!in_quotes && (text.at[at] == ' ' || text.at[at] == '\t'))
                        break;
        }
        return at < text.length ? at : text.length;
}

struct span recipient_settings_split(struct span *entry)
{
        size_t end = word_end(*entry);
        struct span rest = span_trim(span_skip(*entry, end));

        /* What has no "=" is no setting: the whole is a line that is wrong otherwise. */
        if (span_find(span_of(rest.at, word_end(rest)), '=') == SIZE_MAX)
                return SPAN("");
        entry->length = end;
        return rest;
}

static const char *fault_about(char *message, const char *what, struct span word)
{
        snprintf(message, RECIPIENT_FAULT_MAX, "%s%.*s", what, word.length < 32 ? (int)word.length : 32,
                 word.at);
        return message;
}

static const char *read_mode(struct recipient_settings *settings, struct span key, struct span value,
                             char *message)
{
        enum check_id check = check_by_name(key);

        if (check == CHECK_COUNT)
                return fault_about(message, "there is no check, and no setting, ", key);
        if (check_infos[check].kind != CHECK_KIND_PURE)
                return fault_about(message, "holds for all recipients alike: ", key);
        if (settings->checks & check_bit(check))
                return fault_about(message, "is set twice: ", key);
        if (!check_mode_parse(value, &settings->modes[check]))
                return fault_about(message, "must be enforce, observe or off: ", key);
        settings->checks |= check_bit(check);
        return NULL;
}

static const char *read_deliver(struct recipient_settings *settings, struct span value, char *message,
                                struct span *ret_deliver)
{
        if (settings->has_deliver)
                return "is set twice: deliver";
        if (value.length >= 2 && value.at[0] == '"' && value.at[value.length - 1] == '"')
                value = span_of(value.at + 1, value.length - 2);
        if (span_find(value, '"') != SIZE_MAX)
                return "a quotation mark has no place in deliver";
        if (!span_starts_nocase(value, SPAN("maildir:")) && !next_hops_are_meant(value) &&
            !span_equals(value, SPAN("discard:")))
                return fault_about(message, "must be maildir:PATH, next hops or discard:, not ", value);
        settings->has_deliver = true;
        *ret_deliver = value;
        return NULL;
}

const char *recipient_settings_read(struct span text, struct recipient_settings *ret_settings,
                                    struct span *ret_deliver, char message[static RECIPIENT_FAULT_MAX])
{
        const char *fault = NULL;

        if (text.length > RECIPIENT_SETTINGS_MAX)
                return "has too long settings";
        *ret_settings = (struct recipient_settings){.text = text};
        *ret_deliver = SPAN("");
        for (struct span rest = text; rest.length > 0 && fault == NULL;) {
                struct span word = span_of(rest.at, word_end(rest));
                size_t equals = span_find(word, '=');
                struct span key = span_of(word.at, equals == SIZE_MAX ? word.length : equals);
                struct span value = span_skip(word, key.length + 1);
                if (equals == SIZE_MAX)
                        fault = fault_about(message, "needs KEY=VALUE, or a # comment: ", word);
                else if (span_equals(key, SPAN("deliver")))
                        fault = read_deliver(ret_settings, value, message, ret_deliver);
                else
                        fault = read_mode(ret_settings, key, value, message);
                rest = span_trim(span_skip(rest, word.length));
        }
        return fault;
}

void recipient_settings_apply(const struct recipient_settings *settings, const struct check_setting *domain,
                              struct check_setting ret_checks[static CHECK_COUNT])
{
        memcpy(ret_checks, domain, CHECK_COUNT * sizeof *domain);
        for (uint64_t left = settings->checks; left != 0; left &= left - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(left);
                ret_checks[check] = (struct check_setting){settings->modes[check], settings->place};
        }
}

static void note_modes(struct recipient_sets *sets, const struct recipient_settings *settings)
{
        for (uint64_t left = settings->checks; left != 0; left &= left - 1) {
                enum check_id check = (enum check_id)__builtin_ctzll(left);
                sets->checks[settings->modes[check]] |= check_bit(check);
        }
}

bool recipient_sets_add(struct recipient_sets *sets, const struct recipient_settings *settings,
                        struct arena *memory)
{
        size_t count = sets->count;

        /* The room doubles, so that all that was left behind is less than what there is. */
        if ((count & (count - 1)) == 0) {
                struct recipient_settings *more =
                    arena_take(memory, (count == 0 ? 1 : 2 * count) * sizeof *more);
                if (more == NULL)
                        return false;
                if (count > 0)
                        memcpy(more, sets->sets, count * sizeof *more);
                sets->sets = more;
        }
        sets->sets[sets->count++] = *settings;
        note_modes(sets, settings);
        return true;
}
