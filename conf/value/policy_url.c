/* No address has %i for another reason: behind a percent sign stand hexadecimal digits (RFC 3986 2.1). */
#include "conf/value/policy_url.h"

#define PLACEHOLDER "%i"

bool policy_url_has_id(const char *url)
{
        return strstr(url, PLACEHOLDER) != NULL;
}

void policy_url_put(struct text *out, const char *url, const char *id)
{
        const char *at = strstr(url, PLACEHOLDER);

        if (at == NULL) {
                text_put_string(out, url);
                return;
        }
        text_put(out, span_of(url, (size_t)(at - url)));
        text_put_string(out, id);
        text_put_string(out, at + strlen(PLACEHOLDER));
}

void policy_url_put_suffix(struct text *out, const char *url, const char *id)
{
        if (url[0] != '\0') {
                text_put_string(out, "; see ");
                policy_url_put(out, url, id);
        }
        if (id[0] == '\0')
                return;
        text_put_string(out, " [");
        text_put_string(out, id);
        text_put_char(out, ']');
}
