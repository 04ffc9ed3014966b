/* P7: a notification, mail from <>, goes to exactly one recipient. */
#include "core/check/check.h"

enum verdict_result check_null_sender_recipients(const struct facts *facts, struct verdict *verdict)
{
        if (!facts->sender_is_null || facts->recipients_accepted == 0)
                return VERDICT_PASS;
        verdict->reply = REPLY_null_sender_recipients;
        verdict->reach = REACH_BOTH;
        verdict->evidence = SPAN("a second recipient for the null sender");
        return VERDICT_REFUSE;
}
