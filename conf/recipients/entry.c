/* How a line of a file of recipients is read. */
#include "conf/recipients/entry.h"

#include "conf/recipients/map.h"
#include "core/base/local_part.h"

#include <stdio.h>
#include <unictype.h>
#include <unistr.h>

/* Offset of the "@" behind the local part, or the length. */
static size_t local_part_end(struct span entry)
{
        size_t at = 1;
        if (entry.at[0] != '"') {
                size_t end = span_find(entry, '@');
                return end == SIZE_MAX ? entry.length : end;
        }
        while (at < entry.length && entry.at[at] != '"')
                at += entry.at[at] == '\\' ? 2 : 1;
        return at + 1 < entry.length ? at + 1 : entry.length;
}

/* The first character of no width or of no shape, such as a byte order mark or a no-break space, which would make
 * another mailbox of what looks the same; 0: none. The joiners U+200C and U+200D are spelling in some
 * scripts. */
static ucs4_t find_invisible(struct span entry)
{
        const uint32_t invisible = UC_CATEGORY_MASK_Cc | UC_CATEGORY_MASK_Cf | UC_CATEGORY_MASK_Z;
        ucs4_t character;

        if (span_is_ascii(entry))
                return 0;
        for (int length; entry.length > 0; entry = span_skip(entry, (size_t)length)) {
                length = u8_mbtouc(&character, (const uint8_t *)entry.at, entry.length);
                if (character >= 0x80 && character != 0x200c && character != 0x200d &&
                    uc_is_general_category_withtable(character, invisible))
                        return character;
        }
        return 0;
}

/* Blanks, or asterisks, that no quotes hide. */
static bool has_outside_quotes(struct span entry, const char *octets)
{
        bool in_quotes = false;
        for (size_t i = 0; i < entry.length; i++) {
                if (entry.at[i] == '"')
                        in_quotes = !in_quotes;
                else if (in_quotes)
                        i += entry.at[i] == '\\';
                else if (strchr(octets, entry.at[i]) != NULL)
                        return true;
        }
        return false;
}

/* What people write who know the lists of other servers. */
static const char *habit_fault(struct span entry, char message[static RECIPIENT_FAULT_MAX])
{
        ucs4_t invisible = find_invisible(entry);

        if (invisible != 0) {
                snprintf(message, RECIPIENT_FAULT_MAX, "has an invisible character, U+%04X",
                         (unsigned)invisible);
                return message;
        }
        if (has_outside_quotes(entry, " \t"))
                return "one address a line, and nothing behind it but settings KEY=VALUE or a # comment";
        return NULL;
}

/* What stands behind the local part of "*", "*@DOMAIN" and "@DOMAIN" is left in *entry. */
static bool is_catch_all(struct span *entry)
{
        bool has_asterisk = entry->at[0] == '*';
        struct span rest = span_skip(*entry, has_asterisk);

        if (rest.length == 0 ? !has_asterisk : rest.at[0] != '@')
                return false;
        *entry = rest;
        return true;
}

const char *recipient_entry_read(struct span entry, struct text *ret_local_part, struct span *ret_domain,
                                 char message[static RECIPIENT_FAULT_MAX])
{
        const char *fault = habit_fault(entry, message);
        size_t end = local_part_end(entry);

        if (fault != NULL)
                return fault;
        if (is_catch_all(&entry)) {
                text_put_string(ret_local_part, RECIPIENT_CATCH_ALL);
                *ret_domain = entry;
                return NULL;
        }
        if (has_outside_quotes(entry, "*"))
                return "an asterisk stands alone, for all that have no line of their own";
        if (!local_part_parse(span_of(entry.at, end), true, ret_local_part) ||
            (end < entry.length && entry.at[end] != '@'))
                return "neither an address nor a local part";
        *ret_domain = span_skip(entry, end);
        return NULL;
}

struct span recipient_shown(struct span local_part)
{
        return span_equals(local_part, SPAN(RECIPIENT_CATCH_ALL)) ? SPAN("*") : local_part;
}
