/* The table of replies; taking a reply text apart. */
#include "conf/replies.h"

#define REPLY_TEXT_MAX 200 /* octets; RFC 5321 4.5.3.1.5 allows 512 with what placeholders add */

const struct reply_info reply_infos[REPLY_COUNT] = {
#define REPLY(name, text)        [REPLY_##name] = {#name, text, false, false},
#define POLICY_REPLY(name, text) [REPLY_##name] = {#name, text, true, false},
#define SYNTAX_REPLY(name, text) [REPLY_##name] = {#name, text, true, true},
#include "core/smtp/replies.def"
#undef REPLY
#undef POLICY_REPLY
#undef SYNTAX_REPLY
};

enum reply_id reply_by_name(struct span name)
{
        for (unsigned reply = 0; reply < REPLY_COUNT; reply++)
                if (span_equals(name, span_from(reply_infos[reply].name)))
                        return (enum reply_id)reply;
        return REPLY_NONE;
}

size_t enhanced_code_length(struct span text)
{
        size_t at = 0;
        for (unsigned part = 0; part < 3; part++) {
                size_t start = at;
                while (at < text.length && at - start < 3 && ascii_is_digit(text.at[at]))
                        at++;
                if (at == start || (text.at[start] == '0' && at - start > 1) || (part == 0 && at != 1))
                        return 0;
                if (part < 2 && (at == text.length || text.at[at++] != '.'))
                        return 0;
        }
        return at == text.length || text.at[at] == ' ' ? at : 0;
}

static const char *text_fault(struct span text)
{
        if (text.length > REPLY_TEXT_MAX)
                return "a reply has at most 200 octets";
        for (size_t i = 0; i < text.length; i++) {
                if (ascii_is_control(text.at[i]) || (unsigned char)text.at[i] >= 0x80)
                        return "a reply is printable ASCII";
                if (text.at[i] == '%' && (++i == text.length || strchr("rshcnv%", text.at[i]) == NULL))
                        return "unknown placeholder; there are %r %s %h %c %n %v %%";
        }
        return NULL;
}

/* Reply-code of RFC 5321 4.2 and a space. */
static bool code_is_valid(struct span text)
{
        return text.length > 4 && text.at[0] >= '2' && text.at[0] <= '5' && text.at[1] >= '0' &&
               text.at[1] <= '5' && ascii_is_digit(text.at[2]) && text.at[3] == ' ';
}

bool reply_template_parse(struct span text, struct reply_template *ret_template, const char **ret_error)
{
        const char *error = text_fault(text);

        if (error == NULL && !code_is_valid(text))
                error = "a reply begins with a code, such as \"550 5.7.1 text\"";
        if (error != NULL) {
                *ret_error = error;
                return false;
        }
        struct span rest = span_skip(text, 4);
        size_t length = enhanced_code_length(rest);
        length = length < rest.length ? length : 0; /* a text that is nothing else is a text */
        if (length == 0 && text.at[0] >= '4')
                error = "a refusal needs an enhanced code (RFC 3463), such as \"550 5.7.1 text\"";
        else if (length > 0 && rest.at[0] != text.at[0])
                error = "code and enhanced code must be of one class";
        size_t status = length == 0 ? 4 : 4 + length + 1;
        if (error == NULL && span_skip(text, status).length == 0)
                error = "a reply needs a text";
        if (error != NULL) {
                *ret_error = error;
                return false;
        }
        *ret_template = (struct reply_template){
            .code = (uint16_t)((text.at[0] - '0') * 100 + (text.at[1] - '0') * 10 + (text.at[2] - '0')),
            .status = span_of(text.at, status),
            .enhanced = span_of(rest.at, length),
            .text = span_skip(text, status),
        };
        return true;
}
