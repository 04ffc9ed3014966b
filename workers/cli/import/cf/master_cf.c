/* Services of Postfix. */
#include "workers/cli/import/cf/master_cf.h"

#include "workers/cli/import/cf/words.h"

#define SERVICES_MAX 1000
#define CHROOT_FIELD 2 /* behind name and type */

/* Braces and commas mean nothing in the fields. */
static struct span take_field(struct span *rest)
{
        size_t length = 0;

        *rest = cf_trim(*rest);
        while (length < rest->length && span_find(SPAN(" \t\r\n"), rest->at[length]) == SIZE_MAX)
                length++;
        struct span field = span_of(rest->at, length);
        *rest = span_skip(*rest, length);
        return field;
}

/* service type private unpriv chroot wakeup maxproc command arguments */
static bool read_service(struct keep *keep, struct span line, struct cf_service *service)
{
        struct span rest = line;

        service->name = keep_span(keep, take_field(&rest));
        service->type = keep_span(keep, take_field(&rest));
        for (int i = 0; i < 5; i++) {
                struct span field = take_field(&rest);
                if (field.length == 0)
                        return false;
                if (i == CHROOT_FIELD)
                        service->chroot = field.at[0];
        }
        service->command = keep_span(keep, take_field(&rest));
        service->arguments = keep_span(keep, cf_trim(rest));
        return service->command.length > 0;
}

bool cf_master_read(struct keep *keep, struct span text, struct cf_master *ret_master,
                    struct cf_fault *ret_fault)
{
        struct cf_master master = {0};
        struct cf_service **end = &master.first;
        uint32_t next_line = 1;
        struct span whole;

        if (text.length > CF_SIZE_MAX)
                return cf_say(ret_fault, 0, "more than %zu octets: this is no master.cf", CF_SIZE_MAX);
        for (;;) {
                struct cf_service *service = keep_take(keep, sizeof *service);
                if (!cf_take_line(keep, &text, &next_line, &whole, &service->line, ret_fault))
                        return false;
                if (whole.length == 0)
                        break;
                if (!read_service(keep, whole, service))
                        return cf_say(ret_fault, service->line,
                                      "less than eight fields: this is no master.cf");
                if (master.count++ == SERVICES_MAX)
                        return cf_say(ret_fault, service->line, "more than %d services", SERVICES_MAX);
                *end = service;
                end = &service->next;
        }
        *ret_master = master;
        return true;
}

/* A field, or what braces hold together. */
static struct span take_argument(struct span *rest)
{
        size_t end = 0, depth = 0;

        *rest = cf_trim(*rest);
        if (rest->length == 0 || rest->at[0] != '{')
                return take_field(rest);
        do {
                depth += rest->at[end] == '{';
                depth -= rest->at[end] == '}';
        } while (++end < rest->length && depth > 0);
        struct span argument = span_of(rest->at, end);
        *rest = span_skip(*rest, end);
        return argument;
}

bool cf_take_override(struct span *arguments, struct span *ret_name, struct span *ret_value)
{
        struct span word;

        while ((word = take_argument(arguments)).length > 0) {
                if (!span_equals(word, SPAN("-o")))
                        continue;
                word = take_argument(arguments);
                cf_unbrace(word, &word);
                size_t equals = span_find(word, '=');
                if (equals == SIZE_MAX)
                        continue;
                *ret_name = cf_trim(span_of(word.at, equals));
                *ret_value = cf_trim(span_skip(word, equals + 1));
                return true;
        }
        return false;
}
