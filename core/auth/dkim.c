/* The work is done in signature.c and judge.c, which ARC uses as well. */
#include "core/auth/dkim.h"

void dkim_begin(struct dkim *dkim, struct auth_text *text)
{
        const struct auth_header *header = &text->header;

        dkim->count = dkim->seen = 0;
        for (size_t i = 0; i < header->count; i++) {
                if (!auth_field_is(header, i, SPAN("dkim-signature")))
                        continue;
                dkim->seen++;
                if (dkim->count == DKIM_SIGNATURES_MAX)
                        continue;
                struct auth_signature *signature = &dkim->signatures[dkim->count++];
                signature_parse(header, i, SIGNATURE_DKIM, signature);
                if (!auth_header_is_kept(header)) {
                        signature->result = header->is_too_large ? AUTH_POLICY : AUTH_TEMPERROR;
                        signature->reason =
                            header->is_too_large ? "the header is too large" : "memory is out";
                }
                if (signature->result == AUTH_WAIT)
                        text->wants[signature->body_canon] = true;
        }
}

void dkim_ask(const struct dkim *dkim, struct memo *memo)
{
        for (size_t i = 0; i < dkim->count; i++)
                signature_ask(&dkim->signatures[i], memo);
}

bool dkim_judge(struct dkim *dkim, const struct auth_text *text, struct memo *memo, int64_t now_s)
{
        bool is_done = true;

        dkim_ask(dkim, memo);
        for (size_t i = 0; i < dkim->count; i++) {
                signature_judge(&dkim->signatures[i], text, memo, now_s);
                is_done = is_done && dkim->signatures[i].result != AUTH_WAIT;
        }
        return is_done;
}

enum auth_result dkim_result(const struct dkim *dkim)
{
        /* From the best to the worst; what is pending may yet be the best. */
        static const enum auth_result order[] = {AUTH_PASS,   AUTH_WAIT,    AUTH_TEMPERROR, AUTH_FAIL,
                                                 AUTH_POLICY, AUTH_NEUTRAL, AUTH_PERMERROR};

        for (size_t i = 0; i < sizeof order / sizeof *order; i++)
                for (size_t j = 0; j < dkim->count; j++)
                        if (dkim->signatures[j].result == order[i])
                                return order[i];
        return AUTH_NONE;
}
