/* Lines of JSON become lines for people. */
#include "workers/cli/control/trace.h"

#include "core/base/text.h"
#include "core/smtp/follow/filter.h"
#include "workers/cli/control/ask.h"
#include "workers/cli/usage.h"

#include <stdio.h>

#define LINE_MAX_OCTETS 4096
#define ORDER_SIZE      512

const char trace_help[] =
    "usage: gatepost trace -c FILE --ip NETWORK | --from PATTERN | --to PATTERN [--rate LINES] [--json]\n\n"
    "Follows sessions of the running server line by line, until Ctrl-C: those of clients in NETWORK (an\n"
    "address, or 192.0.2.0/24), or from the MAIL or RCPT on whose address fits PATTERN. In a pattern * "
    "stands\n"
    "for anything, @isp.example for anybody there, and \"<>\" for the null sender. Each line begins with "
    "the\n"
    "seconds since the client connected, and its address and port. C: the client's line; S: our reply; what\n"
    "checks say stands between them. Texts of messages are not shown. FILE names the server's control "
    "socket\n"
    "(option `control`).\n"
    "--rate LINES   of more lines in a second it is told how many were left out (200)\n"
    "--json         the lines as they come, each a JSON object\n\n"
    "Exit status: 0; 1 the server has ended, or cannot be reached; 2 wrong call.\n";

static const char *string_of(const json_t *line, const char *name)
{
        const char *value = json_string_value(json_object_get(line, name));
        return value == NULL ? "" : value;
}

static void put(struct text *out, const char *octets)
{
        text_put_printable(out, span_from(octets), true);
}

static void put_what(struct text *out, const json_t *line, const char *what)
{
        if (strcmp(what, "command") == 0) {
                text_put(out, SPAN("C: "));
        } else if (strcmp(what, "reply") == 0) {
                text_put(out, SPAN("S: "));
        } else if (strcmp(what, "verdict") == 0) {
                put(out, string_of(line, "check"));
                text_put_char(out, ' ');
                put(out, string_of(line, "result"));
                text_put(out, SPAN(" ("));
                put(out, string_of(line, "mode"));
                text_put(out, SPAN("): "));
        } else {
                put(out, what);
                text_put(out, SPAN(": "));
        }
}

/* What comes is of strangers: nothing of it reaches the terminal but what can be printed. */
static void show(const json_t *line)
{
        const json_t *left_out = json_object_get(line, "left_out");
        const char *what = string_of(line, "what");
        char octets[LINE_MAX_OCTETS];
        struct text out;

        text_over(&out, octets, sizeof octets);
        if (left_out != NULL) {
                text_printf(&out, "... %lld lines left out", (long long)json_integer_value(left_out));
        } else if (what[0] == '\0') {
                return;
        } else {
                text_printf(&out, "%8.3f ", (double)json_integer_value(json_object_get(line, "ms")) / 1000);
                put(&out, string_of(line, "client"));
                text_printf(&out, " %lld ", (long long)json_integer_value(json_object_get(line, "port")));
                put_what(&out, line, what);
                put(&out, string_of(line, "text"));
                if (json_is_true(json_object_get(line, "cut")))
                        text_put(&out, SPAN(" ..."));
        }
        printf("%.*s\n", (int)out.length, out.at);
}

/* What is wished for, as it was given; NULL: not wished for. */
struct wish {
        const char *ip, *from, *to, *rate;
};

/* Writes the order's line. False when it was called wrongly, which is told then. */
static bool write_order(const struct wish *wish, struct text *order)
{
        const char *kind = wish->ip != NULL ? "ip" : wish->from != NULL ? "from" : "to";
        const char *value = wish->ip != NULL ? wish->ip : wish->from != NULL ? wish->from : wish->to;
        struct follow_filter filter;
        uint64_t rate;

        if ((wish->ip != NULL) + (wish->from != NULL) + (wish->to != NULL) != 1) {
                usage_fault(trace_help, "trace: one of --ip, --from and --to is needed");
                return false;
        }
        text_put(order, SPAN("trace "));
        size_t begin = order->length;
        text_printf(order, "%s=%s", kind, value);
        if (strpbrk(value, " \t\r\n") != NULL || order->overflowed ||
            !follow_filter_parse(span_skip(text_span(order), begin), &filter)) {
                usage_fault(
                    trace_help,
                    wish->ip != NULL
                        ? "trace: --%s \"%.400s\" is neither an address nor a network such as 192.0.2.0/24"
                        : "trace: --%s \"%.400s\" is no pattern of addresses: it has blanks, or is too "
                          "long",
                    kind, value);
                return false;
        }
        if (wish->rate == NULL)
                return true;
        text_printf(order, " rate=%s", wish->rate);
        if (!order->overflowed && follow_rate_parse(span_from(wish->rate), &rate))
                return true;
        usage_fault(trace_help, "trace: --rate \"%.400s\" is no number from 1 to %d", wish->rate,
                    FOLLOW_RATE_MAX);
        return false;
}

int trace_main(int argc, char **argv)
{
        struct wish wish = {0};
        bool is_json = false;
        struct ask ask = {.show = show, .has_no_end = true};
        const struct usage_option options[] = {{"config", &ask.configuration, NULL},
                                               {"ip", &wish.ip, NULL},
                                               {"from", &wish.from, NULL},
                                               {"to", &wish.to, NULL},
                                               {"rate", &wish.rate, NULL},
                                               {"json", NULL, &is_json},
                                               {0}};
        char octets[ORDER_SIZE] = "";
        struct text order;

        text_over(&order, octets, sizeof octets - 1); /* the NUL behind it stays */
        if (!usage_read_options(trace_help, options, 0, argc, argv) || !write_order(&wish, &order))
                return USAGE_STATUS;
        ask.order = octets;
        if (is_json)
                ask.show = NULL;
        return ask_server(&ask, trace_help);
}
