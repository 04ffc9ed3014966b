/* The replies by name and by number, which come from core/smtp/replies.def, and the form in which a snapshot
 * holds them. */
#pragma once

#include "core/base/text.h"

enum reply_id {
#define REPLY(name, text)        REPLY_##name,
#define POLICY_REPLY(name, text) REPLY_##name,
#define SYNTAX_REPLY(name, text) REPLY_##name,
#include "core/smtp/replies.def"
#undef REPLY
#undef POLICY_REPLY
#undef SYNTAX_REPLY
        REPLY_COUNT,
        REPLY_NONE = REPLY_COUNT /* nothing stands against it */
};

/* A reply such as "550 5.7.1 you are not %v", taken apart. The snapshot owns its text. */
struct reply_template {
        uint16_t code;
        bool is_policy;       /* ends with policy address and reject id */
        struct span status;   /* "550 5.7.1 " or "220 ", as it begins the line */
        struct span enhanced; /* "5.7.1" within status, or empty */
        struct span text;     /* with placeholders */
};

struct reply_info {
        const char *name;
        const char *text;
        bool is_policy, is_syntax; /* by the rule syntax, which is policy too */
};

/* The index is enum reply_id. */
extern const struct reply_info reply_infos[REPLY_COUNT];

/* Octets of "class.subject.detail" at the start (RFC 3463 2), with a blank or nothing behind it; 0 when there is
 * none. */
size_t enhanced_code_length(struct span text);
/* Returns REPLY_NONE when there is no reply of that name. */
enum reply_id reply_by_name(struct span name);
/* Takes `text` apart; the template points into it. The text must be printable ASCII of at most 200 octets,
 * with a code from 2xx to 5xx, an enhanced code of the same class (RFC 3463) for 4xx and 5xx, and known
 * placeholders. False with a reason, a static text, in *ret_error when it is not. */
bool reply_template_parse(struct span text, struct reply_template *ret_template, const char **ret_error);
