/* Fuzzes what becomes of a line of the log in reports of DMARC, and addresses that get them. Lines for sort(1) must
 * have all of their fields and nothing that XML, a mail or sort(1) would obey. */
#include "core/auth/tags.h"
#include "core/base/expect.h"
#include "workers/cli/dmarc_report/destination.h"

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length);

static struct entry entry;

static void check_line(const struct text *line, size_t fields, bool has_uris)
{
        struct span rest = text_span(line);
        size_t tabs = 0;

        for (size_t i = 0; i < line->length; i++) {
                expect(line->at[i] == '\t' || (line->at[i] >= ' ' && line->at[i] < 0x7f));
                expect(has_uris || memchr("<>\"'", line->at[i], 4) == NULL);
                tabs += line->at[i] == '\t';
        }
        expect(tabs + 1 == fields || (!has_uris && (tabs + 1 - fields) % ENTRY_SIGNATURE_FIELDS == 0));
        expect(entry_field_next(&rest).length > 0);
}

static void check_address(struct span uri)
{
        struct destination destination;

        if (!destination_read(uri, &destination))
                return;
        struct span address = span_from(destination.address);
        size_t at = span_find(address, '@');
        expect(at > 0 && at <= DESTINATION_LOCAL_MAX && destination_domain(&destination).length > 2);
        expect(address.length == at + 1 + destination_domain(&destination).length);
        for (size_t i = 0; i < address.length; i++)
                expect(i == at || ascii_is_atext(address.at[i]) || address.at[i] == '.');
}

static void check_mail(const json_t *session, const json_t *transaction)
{
        enum entry_result result = entry_read(session, transaction, &entry);

        if (result != ENTRY_TAKEN && result != ENTRY_UNWANTED)
                return;
        check_line(&entry.policy, ENTRY_POLICY_FIELDS, true);
        check_line(&entry.row, ENTRY_FIELDS, false);
        struct span uris =
            span_skip(text_span(&entry.policy), span_find_last(text_span(&entry.policy), '\t') + 1);
        while (uris.length > 0)
                check_address(tag_take(&uris, ','));
}

int LLVMFuzzerTestOneInput(const uint8_t *octets, size_t length)
{
        json_t *line = json_loadb((const char *)octets, length, JSON_REJECT_DUPLICATES, NULL);
        const json_t *transactions = json_object_get(line, "transactions");

        for (size_t i = 0; i < json_array_size(transactions); i++)
                check_mail(line, json_array_get(transactions, i));
        check_address(span_of((const char *)octets, length));
        json_decref(line);
        return 0;
}
