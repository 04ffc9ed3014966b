/* Values by type, as value_set() reads them. */
#include "conf/value/write.h"

#include "conf/value/filter.h"
#include "conf/value/list.h"
#include "conf/value/rate.h"

#include <inttypes.h>

#define ITEM_MAX 4096 /* octets; a filter has four octets of up to 128 ranges */

void quoted_print(FILE *file, struct span text)
{
        putc('"', file);
        for (size_t i = 0; i < text.length; i++) {
                if (text.at[i] == '"' || text.at[i] == '\\' || text.at[i] == '$')
                        putc('\\', file);
                putc(text.at[i], file);
        }
        putc('"', file);
}

/* ---- lists --------------------------------------------------------------------------------------------- */

static const char *keyword_name(uint32_t keywords, size_t i)
{
        while (i-- > 0)
                keywords &= keywords - 1;
        return ehlo_keyword_names[__builtin_ctz(keywords)];
}

static void item_write(struct text *text, enum value_type type, const void *field, size_t i)
{
        switch ((int)type) {
        case VALUE_PATHS:
        case VALUE_NAMES:
                text_put_string(text, ((const struct text_list *)field)->texts[i]);
                break;
        case VALUE_NETWORKS:
                network_write(text, &((const struct network_list *)field)->networks[i]);
                break;
        case VALUE_ENDPOINTS:
                endpoint_put(text, &((const struct endpoint_list *)field)->endpoints[i]);
                break;
        case VALUE_KEYWORDS:
                text_put_string(text, keyword_name(*(const uint32_t *)field, i));
                break;
        default:
                answer_filter_write(text, &((const struct filter_list *)field)->filters[i]);
        }
}

static void list_print(FILE *file, enum value_type type, const void *field)
{
        char octets[ITEM_MAX];
        struct text item;

        putc('{', file);
        for (size_t i = 0; i < value_list_count(type, field); i++) {
                text_over(&item, octets, sizeof octets);
                item_write(&item, type, field, i);
                fputs(i == 0 ? "" : ", ", file);
                quoted_print(file, text_span(&item));
        }
        putc('}', file);
}

/* ---- all ----------------------------------------------------------------------------------------------- */

void value_print(FILE *file, const struct option_row *row, const void *base)
{
        const void *field = (const char *)base + row->offset;
        char octets[64];
        struct text text;

        text_over(&text, octets, sizeof octets);
        if (value_is_list(row->type))
                list_print(file, row->type, field);
        else if (row->type == VALUE_TEXT || row->type == VALUE_PATH)
                quoted_print(file, span_from(*(const char *const *)field));
        else if (row->type == VALUE_RATE)
                rate_write(&text, field);
        else if (row->type == VALUE_SHARE)
                share_write(&text, *(const uint64_t *)field);
        else if (row->type == VALUE_WEIGHT)
                text_printf(&text, "%" PRId64, *(const int64_t *)field);
        else if (value_word(row, base) != NULL)
                text_put_string(&text, value_word(row, base));
        else
                value_write_number(&text, row, *(const uint64_t *)field);
        fwrite(text.at, 1, text.length, file);
}
