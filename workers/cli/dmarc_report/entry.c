/* The log is ours, and yet what stands in it is believed as little as mail: it may be damaged, or of somebody else. */
#include "workers/cli/dmarc_report/entry.h"

#include "core/auth/dmarc/record.h"
#include "core/base/address.h"
#include "core/base/date.h"
#include "core/base/domain_name.h"
#include "workers/cli/dmarc_report/xml.h"
#include "workers/json/value.h"
#include "workers/log/line.h"

struct span entry_field_next(struct span *rest)
{
        size_t tab = span_find(*rest, '\t');
        struct span field = span_of(rest->at, tab == SIZE_MAX ? rest->length : tab);

        *rest = tab == SIZE_MAX ? SPAN("") : span_skip(*rest, tab + 1);
        return field;
}

/* ---- values of the log --------------------------------------------------------------------------------- */

static bool is_word(struct span value, const char *word)
{
        return span_equals(value, span_from(word));
}

static bool is_policy(struct span value)
{
        return is_word(value, "none") || is_word(value, "quarantine") || is_word(value, "reject");
}

/* RFC 8601 2.7.1 and 2.7.2. */
static bool is_result(struct span value)
{
        static const char *const results[] = {"pass",     "fail",   "none",      "neutral",
                                              "softfail", "policy", "temperror", "permerror"};

        for (size_t i = 0; i < sizeof results / sizeof *results; i++)
                if (is_word(value, results[i]))
                        return true;
        return false;
}

static bool is_domain(struct span name)
{
        return name.length > 0 && name.length <= DOMAIN_NAME_MAX - 2 && domain_name_host_fault(name) == NULL;
}

/* ---- lines --------------------------------------------------------------------------------------------- */

static void put_field(struct text *line, struct span value)
{
        text_put_char(line, '\t');
        xml_put(line, value, false);
}

static void put_word(struct text *line, const char *word)
{
        text_put_char(line, '\t');
        text_put_string(line, word);
}

static void put_failures(struct text *line, const struct dmarc_record *record)
{
        static const struct {
                enum dmarc_failures bit;
                char letter;
        } letters[] = {{DMARC_FAILURES_ALL, '0'},
                       {DMARC_FAILURES_ANY, '1'},
                       {DMARC_FAILURES_DKIM, 'd'},
                       {DMARC_FAILURES_SPF, 's'}};
        const unsigned failures = record->failures == 0 ? DMARC_FAILURES_ALL : record->failures;
        char before = '\t';

        for (size_t i = 0; i < sizeof letters / sizeof *letters; i++)
                if ((failures & letters[i].bit) != 0) {
                        text_put_char(line, before);
                        text_put_char(line, letters[i].letter);
                        before = ':';
                }
}

/* False: nobody is named. */
static bool put_uris(struct text *line, struct span list)
{
        struct span uri;
        size_t count = 0;

        text_put_char(line, '\t');
        for (; count < ENTRY_URIS_MAX && dmarc_uri_next(&list, &uri); count++) {
                if (count > 0)
                        text_put_char(line, ',');
                text_put(line, uri);
        }
        return count > 0;
}

static bool write_policy(struct text *line, struct span domain, struct span time,
                         const struct dmarc_record *record)
{
        text_put_lower(line, domain);
        text_put_string(line, "\t!");
        text_put_printable(line, time, false);
        put_word(line, dmarc_policy_name(record->domain));
        put_word(line, dmarc_policy_name(record->subdomains));
        put_word(line, dmarc_policy_name(record->nonexistent));
        put_failures(line, record);
        put_word(line, record->dkim_is_strict ? "s" : "r");
        put_word(line, record->spf_is_strict ? "s" : "r");
        put_word(line, record->is_testing ? "y" : "n");
        return put_uris(line, record->rua);
}

struct disposition {
        const char *name, *reason, *comment; /* no reason: "" */
};

static const char *policy_name(struct span value)
{
        return is_word(value, "reject") ? "reject" : is_word(value, "quarantine") ? "quarantine" : "none";
}

static bool is_refused(const json_t *transaction)
{
        struct span code = value_of(transaction, "code");
        return code.length > 0 && code.at[0] == '5';
}

/* Of a mail that failed. Where another rule has refused it, DMARC would have come to what the owner asked for. */
static struct disposition disposition_of_failure(const json_t *transaction, const struct dmarc_record *record)
{
        struct span published = value_of(transaction, "dmarc_policy");
        struct span wanted = value_of(transaction, "dmarc_disposition");
        struct span applied = value_of(transaction, "dmarc_applied");
        bool by_others = is_refused(transaction) && !is_word(applied, "reject");
        struct span came_to = by_others ? wanted : applied;
        struct disposition disposition = {policy_name(came_to), "", ""};

        if (span_equals(came_to, published))
                return disposition;
        if (value_of(transaction, "arc_sealer").length > 0) {
                disposition.reason = "trusted_forwarder";
                disposition.comment = "a trusted sealer of ARC has seen DMARC pass";
        } else if (record->is_testing && span_equals(came_to, wanted)) {
                disposition.reason = "policy_test_mode";
        } else {
                disposition.reason = "local_policy";
                disposition.comment = is_word(applied, "reject")
                                          ? "what is to be in quarantine is refused here"
                                          : "the policy is not enforced here";
        }
        return disposition;
}

static struct disposition disposition_of(const json_t *transaction, const struct dmarc_record *record)
{
        struct span result = value_of(transaction, "dmarc");

        if (is_word(result, "pass"))
                return (struct disposition){
                    is_word(value_of(transaction, "dmarc_policy"), "none") ? "none" : "pass", "", ""};
        if (is_word(result, "fail"))
                return disposition_of_failure(transaction, record);
        return (struct disposition){"none", "other", "DNS did not tell what the result of DMARC is"};
}

static void put_sender(struct text *line, const json_t *transaction)
{
        struct span sender = value_of(transaction, "from"), spf = value_of(transaction, "spf");
        size_t at = span_find_last(sender, '@');
        char octets[DOMAIN_NAME_MAX + 1];
        struct text domain;

        text_over(&domain, octets, sizeof octets);
        struct span name = at == SIZE_MAX ? SPAN("") : domain_name_without_dot(span_skip(sender, at + 1));
        bool is_ascii = domain_name_to_ascii(name, &domain) && !domain.overflowed;
        put_field(line, is_ascii ? text_span(&domain) : name);
        /* Of the null sender it is that of HELO, which is none of DMARC's. */
        put_field(line, name.length > 0 && is_result(spf) ? spf : SPAN(""));
}

static void put_signatures(struct text *line, const json_t *transaction)
{
        const json_t *signatures = json_object_get(transaction, "dkim");

        for (size_t i = 0; i < json_array_size(signatures); i++) {
                const json_t *signature = json_array_get(signatures, i);
                struct span domain = value_of(signature, "domain"), result = value_of(signature, "result");
                if (domain.length == 0 || !is_result(result))
                        continue;
                put_field(line, domain);
                put_field(line, value_of(signature, "selector"));
                put_field(line, result);
                put_field(line, value_of(signature, "reason"));
        }
}

static void write_row(struct text *line, const json_t *transaction, struct span domain,
                      const struct address *client, const struct dmarc_record *record)
{
        struct disposition disposition = disposition_of(transaction, record);
        struct span aligned = value_of(transaction, "dmarc_aligned");
        bool has_both = is_word(aligned, "dkim spf");

        text_put_lower(line, domain);
        text_put_char(line, '\t');
        address_write(line, client);
        put_word(line, disposition.name);
        put_word(line, has_both || is_word(aligned, "dkim") ? "pass" : "fail");
        put_word(line, has_both || is_word(aligned, "spf") ? "pass" : "fail");
        put_word(line, disposition.reason);
        put_word(line, disposition.comment);
        put_field(line, value_of(transaction, "header_from"));
        put_sender(line, transaction);
        put_signatures(line, transaction);
}

/* ---- a mail -------------------------------------------------------------------------------------------- */

static bool is_finished(const json_t *transaction)
{
        return json_integer_value(json_object_get(transaction, "accepted")) > 0 || is_refused(transaction);
}

static bool is_whole(const json_t *transaction)
{
        return is_domain(value_of(transaction, "dmarc_record")) &&
               is_domain(value_of(transaction, "header_from")) &&
               is_policy(value_of(transaction, "dmarc_policy")) &&
               is_policy(value_of(transaction, "dmarc_disposition")) &&
               is_policy(value_of(transaction, "dmarc_applied")) && is_result(value_of(transaction, "dmarc"));
}

/* What there is to say before a line is made. */
static enum entry_result look(const json_t *session, const json_t *transaction, struct address *ret_client)
{
        struct span client = value_of(session, "client");

        if (json_object_get(transaction, "dmarc_record") == NULL ||
            is_word(value_of(transaction, "dmarc"), "none"))
                return ENTRY_WITHOUT_POLICY;
        if (!address_parse(client, ret_client))
                return log_line_has_pseudonyms(client) ? ENTRY_HIDDEN : ENTRY_DAMAGED;
        if (json_object_get(transaction, "dmarc_text") == NULL)
                return ENTRY_UNTOLD;
        if (value_of(session, "time").length < DATE_TEXT_LENGTH || !is_whole(transaction))
                return ENTRY_DAMAGED;
        return is_finished(transaction) ? ENTRY_TAKEN : ENTRY_UNFINISHED;
}

enum entry_result entry_read(const json_t *session, const json_t *transaction, struct entry *ret_entry)
{
        struct span domain = value_of(transaction, "dmarc_record");
        struct dmarc_record record;
        struct address client;
        enum entry_result result = look(session, transaction, &client);

        if (result != ENTRY_TAKEN)
                return result;
        text_over(&ret_entry->policy, ret_entry->policy_octets, sizeof ret_entry->policy_octets);
        text_over(&ret_entry->row, ret_entry->row_octets, sizeof ret_entry->row_octets);
        if (!dmarc_record_read(value_of(transaction, "dmarc_text"), &record))
                return ENTRY_DAMAGED;
        bool is_wanted = write_policy(&ret_entry->policy, domain, value_of(session, "time"), &record);
        write_row(&ret_entry->row, transaction, domain, &client, &record);
        if (ret_entry->policy.overflowed || ret_entry->row.overflowed)
                return ENTRY_DAMAGED;
        return is_wanted ? ENTRY_TAKEN : ENTRY_UNWANTED;
}
