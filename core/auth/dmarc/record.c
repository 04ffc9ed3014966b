/* What is unknown or wrong in a record stands for nothing; only the version must be right. */
#include "core/auth/dmarc/record.h"

#include "core/auth/tags.h"

static const char *const policies[] = {
    [DMARC_POLICY_NONE] = "none",
    [DMARC_POLICY_QUARANTINE] = "quarantine",
    [DMARC_POLICY_REJECT] = "reject",
};

const char *dmarc_policy_name(enum dmarc_policy policy)
{
        return policies[policy];
}

/* ---- values -------------------------------------------------------------------------------------------- */

static bool policy_read(struct span value, enum dmarc_policy *ret_policy)
{
        for (size_t i = 0; i < sizeof policies / sizeof *policies; i++)
                if (span_equals_nocase(value, span_from(policies[i]))) {
                        *ret_policy = (enum dmarc_policy)i;
                        return true;
                }
        return false;
}

static bool is_letter(struct span value, char letter)
{
        return value.length == 1 && ascii_lower(value.at[0]) == letter;
}

/* "0" and "1" are at odds with each other; then, and where anything else is wrong, the default counts. */
static uint8_t failures_read(struct span value)
{
        static const char letters[] = {'0', '1', 'd', 's'};
        uint8_t failures = 0;

        while (value.length > 0) {
                struct span option = tag_take(&value, ':');
                const char *letter =
                    option.length == 1 ? memchr(letters, ascii_lower(option.at[0]), sizeof letters) : NULL;
                if (letter == NULL)
                        return DMARC_FAILURES_ALL;
                failures |= (uint8_t)(1u << (letter - letters));
        }
        return failures == 0 || (failures & 3) == 3 ? DMARC_FAILURES_ALL : failures;
}

static bool is_uri_octet(char octet)
{
        return octet > ' ' && octet < 0x7f && strchr("\"<>\\^`{|}", octet) == NULL;
}

/* RFC 3986 3: a scheme, and something behind it. */
static bool is_uri(struct span uri)
{
        size_t colon = span_find(uri, ':');

        if (colon == SIZE_MAX || colon == 0 || colon + 1 == uri.length || !ascii_is_alpha(uri.at[0]))
                return false;
        for (size_t i = 0; i < colon; i++)
                if (!ascii_is_alnum(uri.at[i]) && strchr("+-.", uri.at[i]) == NULL)
                        return false;
        for (size_t i = colon; i < uri.length; i++)
                if (!is_uri_octet(uri.at[i]))
                        return false;
        return true;
}

bool dmarc_uri_next(struct span *list, struct span *ret_uri)
{
        while (list->length > 0) {
                struct span uri = tag_take(list, ',');
                size_t size = span_find(uri, '!');
                if (size != SIZE_MAX)
                        uri.length = size;
                if (!is_uri(uri))
                        continue;
                *ret_uri = uri;
                return true;
        }
        return false;
}

static bool has_uri(struct span list)
{
        struct span uri;
        return dmarc_uri_next(&list, &uri);
}

/* ---- the record ---------------------------------------------------------------------------------------- */

enum tag_name { P, SP, NP, ADKIM, ASPF, T, PSD, RUA, RUF, FO, NAMES };

static const struct span names[NAMES] = {
    [P] = {"p", 1}, [SP] = {"sp", 2},   [NP] = {"np", 2},   [ADKIM] = {"adkim", 5}, [ASPF] = {"aspf", 4},
    [T] = {"t", 1}, [PSD] = {"psd", 3}, [RUA] = {"rua", 3}, [RUF] = {"ruf", 3},     [FO] = {"fo", 2},
};

/* Of a tag that stands there twice the first one counts. */
static void read_values(struct span rest, struct span values[static NAMES])
{
        struct tag tag;

        memset(values, 0, NAMES * sizeof *values);
        while (rest.length > 0) {
                if (tag_next(&rest, &tag) != TAG_FOUND)
                        continue;
                for (size_t i = 0; i < NAMES; i++)
                        if (values[i].at == NULL && span_equals_nocase(tag.name, names[i]))
                                values[i] = tag.value;
        }
}

/* 4.10.1: with a policy that is not valid the record is as good as "p=none" where somebody gets reports. */
static void read_policies(const struct span values[static NAMES], struct dmarc_record *record)
{
        bool is_valid = policy_read(values[P], &record->domain);

        record->subdomains = record->domain;
        if (values[SP].at != NULL)
                is_valid = policy_read(values[SP], &record->subdomains) && is_valid;
        record->nonexistent = record->subdomains;
        record->has_nonexistent = values[NP].at != NULL;
        if (record->has_nonexistent)
                is_valid = policy_read(values[NP], &record->nonexistent) && is_valid;
        if (is_valid)
                return;
        record->domain = record->subdomains = record->nonexistent = DMARC_POLICY_NONE;
        record->is_unusable = !has_uri(record->rua);
}

bool dmarc_record_read(struct span text, struct dmarc_record *ret_record)
{
        struct dmarc_record record = {.text = text, .domain = DMARC_POLICY_NONE};
        struct span values[NAMES];
        struct tag version;

        if (text.length > DMARC_RECORD_MAX || tag_next(&text, &version) != TAG_FOUND ||
            !span_equals_nocase(version.name, SPAN("v")) || !span_equals(version.value, SPAN("DMARC1")))
                return false;
        read_values(text, values);
        record.rua = values[RUA];
        record.ruf = values[RUF];
        record.dkim_is_strict = is_letter(values[ADKIM], 's');
        record.spf_is_strict = is_letter(values[ASPF], 's');
        record.is_testing = is_letter(values[T], 'y');
        record.psd = is_letter(values[PSD], 'y')   ? DMARC_PSD_YES
                     : is_letter(values[PSD], 'n') ? DMARC_PSD_NO
                                                   : DMARC_PSD_UNKNOWN;
        if (has_uri(record.ruf))
                record.failures = failures_read(values[FO]);
        read_policies(values, &record);
        *ret_record = record;
        return true;
}
