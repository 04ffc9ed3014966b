/* Results in words, and the Received-SPF field (RFC 7208 9.1). */
#include "core/check/spf/received.h"

#define VALUE_MAX 320 /* octets: a mailbox (RFC 5321 4.5.3.1) */

/* RFC 5322 3.2.3 */
static bool is_dot_atom(struct span value)
{
        for (size_t i = 0; i < value.length; i++)
                if (!ascii_is_atext(value.at[i]) &&
                    (value.at[i] != '.' || i == 0 || i + 1 == value.length || value.at[i - 1] == '.'))
                        return false;
        return value.length > 0;
}

static struct span value_clip(struct span value)
{
        return span_of(value.at, value.length > VALUE_MAX ? VALUE_MAX : value.length);
}

/* dot-atom or quoted-string, on a line of its own */
static void put_pair(struct text *text, const char *key, struct span value)
{
        value = value_clip(value);
        text_printf(text, "\r\n\t%s=", key);
        if (is_dot_atom(value)) {
                text_put(text, value);
        } else {
                text_put_char(text, '"');
                for (size_t i = 0; i < value.length; i++) {
                        char c = value.at[i];
                        if (c == '"' || c == '\\')
                                text_put_char(text, '\\');
                        text_put_char(text, c >= 0x20 && c <= 0x7e ? c : '?');
                }
                text_put_char(text, '"');
        }
        text_put_char(text, ';');
}

/* Inside a comment: neither its end nor an escape. */
static void put_in_comment(struct text *text, struct span value)
{
        value = value_clip(value);
        for (size_t i = 0; i < value.length; i++) {
                char c = value.at[i];
                text_put_char(text, c >= 0x21 && c <= 0x7e && strchr("()\\", c) == NULL ? c : '?');
        }
}

/* After "domain of x" and before the client's address, and behind it. */
static const char *const comments[][2] = {
    [SPF_NONE] = {" has no SPF record for ", ""},
    [SPF_NEUTRAL] = {" says nothing about ", ""},
    [SPF_PASS] = {" designates ", " as permitted sender"},
    [SPF_FAIL] = {" does not designate ", " as permitted sender"},
    [SPF_SOFTFAIL] = {" does probably not designate ", " as permitted sender"},
    [SPF_TEMPERROR] = {" could not be asked about ", ""},
    [SPF_PERMERROR] = {" has an SPF record in error, asked about ", ""},
};

void spf_write_received(struct text *text, const struct spf_request *request, enum spf_result result,
                        const struct spf_detail *detail)
{
        bool is_helo = request->sender_local.length == 0 && request->sender_domain.length == 0;
        char mailbox_octets[2 * VALUE_MAX], client_octets[ADDRESS_TEXT_MAX];
        struct text mailbox, client;

        text_over(&mailbox, mailbox_octets, sizeof mailbox_octets);
        text_over(&client, client_octets, sizeof client_octets);
        address_write(&client, &request->client);
        text_put(&mailbox,
                 request->sender_local.length > 0 ? value_clip(request->sender_local) : SPAN("postmaster"));
        text_put_char(&mailbox, '@');
        text_put(&mailbox, value_clip(is_helo ? request->helo : request->sender_domain));

        text_printf(text, "Received-SPF: %s\r\n\t(", spf_result_name(result));
        put_in_comment(text, request->receiver);
        text_put_string(text, ": domain of\r\n\t");
        put_in_comment(text, text_span(&mailbox));
        text_printf(text, "\r\n\t%s", comments[result][0]);
        text_put(text, text_span(&client));
        text_printf(text, "%s)", comments[result][1]);
        put_pair(text, "receiver", request->receiver);
        put_pair(text, "client-ip", text_span(&client));
        put_pair(text, "envelope-from", text_span(&mailbox));
        put_pair(text, "helo", request->helo);
        put_pair(text, "identity", is_helo ? SPAN("helo") : SPAN("mailfrom"));
        if (detail->mechanism.length > 0)
                put_pair(text, "mechanism", detail->mechanism);
        if (detail->problem.length > 0)
                put_pair(text, "problem", detail->problem);
        text_put_string(text, "\r\n");
}

const char *spf_result_name(enum spf_result result)
{
        static const char *const names[] = {
            [SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",   [SPF_PASS] = "pass",
            [SPF_FAIL] = "fail",           [SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
            [SPF_PERMERROR] = "permerror", [SPF_WAIT] = "wait"};
        return names[result];
}
