/* Every part goes through put_item(), which folds, and every value through put_value(), which quotes. */
#include "core/auth/results.h"

#define COLUMNS_MAX     78
#define TAB_COLUMNS     8
#define VALUE_MAX       320 /* octets of a value that are told: the longest mailbox of RFC 5321 */
#define DIGITS_OF_VALUE 8   /* of b=; RFC 6008 4 */

struct field {
        struct text *text;
        size_t line_at; /* where its last line began */
        bool has_methods;
};

/* ---- parts --------------------------------------------------------------------------------------------- */

/* token of RFC 2045 5.1, and "@" between two of them, which RFC 8601 2.2 takes for a mailbox. */
static bool is_plain(struct span value)
{
        bool has_at = false;

        for (size_t i = 0; i < value.length; i++) {
                char c = value.at[i];
                if (c == '@' && !has_at && i > 0 && i + 1 < value.length) {
                        has_at = true;
                        continue;
                }
                if (c <= ' ' || c >= 0x7f || strchr("()<>@,;:\\\"/[]?=", c) != NULL)
                        return false;
        }
        return value.length > 0;
}

static void put_value(struct text *text, struct span value)
{
        if (value.length > VALUE_MAX)
                value.length = VALUE_MAX;
        if (is_plain(value)) {
                text_put(text, value);
                return;
        }
        text_put_char(text, '"');
        for (size_t i = 0; i < value.length; i++) {
                if (value.at[i] == '"' || value.at[i] == '\\')
                        text_put_char(text, '\\');
                text_put_printable(text, span_of(value.at + i, 1), false);
        }
        text_put_char(text, '"');
}

static void new_line(struct field *field)
{
        text_put_string(field->text, "\r\n\t");
        field->line_at = field->text->length - 1;
}

static size_t columns(const struct field *field)
{
        return field->text->length - field->line_at +
               (field->text->at[field->line_at] == '\t' ? TAB_COLUMNS - 1 : 0);
}

/* A blank, or a line of its own where the line would be too long. */
static void put_item(struct field *field, struct span item)
{
        if (columns(field) + 1 + item.length > COLUMNS_MAX - 1) /* with ";" */
                new_line(field);
        else
                text_put_char(field->text, ' ');
        text_put(field->text, item);
}

static void put_property(struct field *field, const char *name, struct span value)
{
        char octets[2 * VALUE_MAX + 64];
        struct text item;

        if (value.length == 0)
                return;
        text_over(&item, octets, sizeof octets);
        text_put_string(&item, name);
        text_put_char(&item, '=');
        put_value(&item, value);
        put_item(field, text_span(&item));
}

static void put_method(struct field *field, const char *method, const char *result)
{
        field->has_methods = true;
        text_put_char(field->text, ';');
        new_line(field);
        text_put_string(field->text, method);
        text_put_char(field->text, '=');
        text_put_string(field->text, result);
}

static void put_reason(struct field *field, const char *reason)
{
        put_property(field, "reason", span_from(reason));
}

/* ---- methods ------------------------------------------------------------------------------------------- */

static void put_spf(struct field *field, const struct auth_results *results)
{
        put_method(field, "spf", results->spf);
        if (results->mail_from.length > 0)
                put_property(field, "smtp.mailfrom", results->mail_from);
        else
                put_property(field, "smtp.helo", results->helo);
}

/* The first digits of b=, by which one signature of a domain is told from another (RFC 6008). */
static void put_digits(struct field *field, struct span value)
{
        char digits[DIGITS_OF_VALUE];
        size_t length = 0;

        for (size_t i = 0; i < value.length && length < sizeof digits; i++)
                if (!tag_is_blank(value.at[i]))
                        digits[length++] = value.at[i];
        put_property(field, "header.b", span_of(digits, length));
}

static void put_signature(struct field *field, const struct auth_signature *signature)
{
        put_method(field, "dkim", auth_result_name(signature->result));
        put_reason(field, signature->reason);
        put_property(field, "header.d", signature->domain);
        put_property(field, "header.s", signature->selector);
        put_digits(field, signature->value);
        if (signature->result == AUTH_PASS)
                put_property(field, "header.a", span_from(signature_algorithm_name(signature)));
}

static void put_dkim(struct field *field, const struct dkim *dkim)
{
        for (size_t i = 0; i < dkim->count; i++)
                put_signature(field, &dkim->signatures[i]);
        if (dkim->count == 0)
                put_method(field, "dkim", "none");
}

static void put_dmarc(struct field *field, const struct auth_results *results)
{
        const struct dmarc_verdict *verdict = results->dmarc;

        put_method(field, "dmarc", auth_result_name(verdict->result));
        if (verdict->result != AUTH_NONE)
                put_reason(field, verdict->reason);
        put_property(field, "header.from", dmarc_author_domain(results->author));
        if (verdict->has_record && verdict->result != AUTH_NONE)
                put_property(field, "policy.dmarc", span_from(dmarc_policy_name(verdict->policy)));
}

/* RFC 8617 5.2: 0 stands for all of them. */
static void put_arc(struct field *field, const struct auth_results *results)
{
        const struct arc *arc = results->arc;
        char octets[24];
        struct text number;

        put_method(field, "arc", auth_result_name(arc->result));
        put_reason(field, arc->reason);
        text_over(&number, octets, sizeof octets);
        text_put_number(&number, arc->oldest_pass == 1 ? 0 : arc->oldest_pass);
        if (arc->result == AUTH_PASS)
                put_property(field, "header.oldest-pass", text_span(&number));
        if (arc->result != AUTH_NONE)
                put_property(field, "smtp.remote-ip", results->client);
}

void auth_results_write(struct text *text, const struct auth_results *results)
{
        struct field field = {.text = text, .line_at = text->length};

        text_put_string(text, "Authentication-Results:");
        text_put_char(text, ' ');
        put_value(text, results->server);
        if (results->iprev != NULL) {
                put_method(&field, "iprev", results->iprev);
                put_property(&field, "policy.iprev", results->client);
        }
        if (results->spf != NULL)
                put_spf(&field, results);
        if (results->dkim != NULL)
                put_dkim(&field, results->dkim);
        if (results->dmarc != NULL)
                put_dmarc(&field, results);
        if (results->arc != NULL)
                put_arc(&field, results);
        if (!field.has_methods)
                text_put_string(text, "; none");
        text_put_string(text, "\r\n");
}
