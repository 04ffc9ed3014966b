/* gatepost tag: what an outbound server must put into a mail, so that its notifications are known for answers
 * to ours. As a table it serves Postfix: tcp_table(5) on its standard input and output. */
#include "workers/cli/tag.h"

#include "conf/build/load.h"
#include "core/mail/tag.h"
#include "dns/clock.h"
#include "workers/cli/usage.h"

#include <stdio.h>
#include <time.h>

#define LINE_SIZE 4096 /* tcp_table(5) */

const char tag_help[] =
    "usage: gatepost tag -c FILE --message-id ID | --sender ADDRESS | --table\n\n"
    "Tags a Message-ID or a sender of outbound mail with the first key of bounce_reference, so that its\n"
    "notifications are known for answers. --table answers Postfix's tcp_table(5) on standard input and "
    "output.\n\n"
    "Exit status: 0; 1 FILE is wrong, has no keys, or what was given cannot be tagged; 2 wrong call.\n";

static struct span without_brackets(struct span text)
{
        bool has_brackets = text.length >= 2 && text.at[0] == '<' && text.at[text.length - 1] == '>';
        return has_brackets ? span_of(text.at + 1, text.length - 2) : text;
}

/* ---- as a table ---------------------------------------------------------------------------------------- */

/* %XX for blanks, controls and percent signs. */
static void put_decoded(struct text *text, struct span encoded)
{
        for (size_t i = 0; i < encoded.length; i++) {
                bool is_code = encoded.at[i] == '%' && i + 2 < encoded.length &&
                               ascii_hex_value(encoded.at[i + 1]) >= 0 &&
                               ascii_hex_value(encoded.at[i + 2]) >= 0;
                text_put_char(text, is_code ? (char)(ascii_hex_value(encoded.at[i + 1]) * 16 +
                                                     ascii_hex_value(encoded.at[i + 2]))
                                            : encoded.at[i]);
                i += is_code ? 2 : 0;
        }
}

static void print_encoded(struct span span)
{
        for (size_t i = 0; i < span.length; i++) {
                unsigned char octet = (unsigned char)span.at[i];
                printf(octet <= ' ' || octet == '%' || octet >= 0x7f ? "%%%02X" : "%c", octet);
        }
}

/* Mail from our domains is tagged. The null sender, senders elsewhere and tags stay as they are. */
static void answer(const struct snapshot *snapshot, struct span key)
{
        char tagged_octets[LINE_SIZE], address_octets[LINE_SIZE];
        struct text tagged, address;

        text_over(&address, address_octets, sizeof address_octets);
        put_decoded(&address, key);
        struct span domain = span_skip(text_span(&address), span_find_last(text_span(&address), '@'));
        text_over(&tagged, tagged_octets, sizeof tagged_octets);
        if (domain.length > 1 && snapshot_find_domain(snapshot, span_skip(domain, 1)) != NULL &&
            tag_sender(snapshot, text_span(&address), clock_wall_s(), &tagged)) {
                printf("200 ");
                print_encoded(text_span(&tagged));
                printf("\n");
        } else {
                printf("500 none\n");
        }
}

static int serve_table(const struct snapshot *snapshot)
{
        char line[LINE_SIZE];

        while (fgets(line, sizeof line, stdin) != NULL) {
                struct span request = span_from(line);
                if (request.length > 0 && request.at[request.length - 1] == '\n')
                        request.length--;
                if (span_starts_nocase(request, SPAN("get ")))
                        answer(snapshot, span_skip(request, 4));
                else
                        printf("400 not understood\n");
                if (fflush(stdout) != 0)
                        return 1;
        }
        return 0;
}

/* ---- command line -------------------------------------------------------------------------------------- */

struct wish {
        const char *configuration, *message_id, *sender;
        bool is_table;
};

static int fulfil(const struct wish *wish, const struct snapshot *snapshot)
{
        char octets[LINE_SIZE];
        struct text tagged;
        int64_t now_s = clock_wall_s();

        text_over(&tagged, octets, sizeof octets);
        if (snapshot->tag_key_count == 0) {
                fprintf(stderr, "gatepost: bounce_reference has no keys\n");
                return 1;
        }
        if (wish->is_table)
                return serve_table(snapshot);
        bool is_made =
            wish->sender != NULL
                ? tag_sender(snapshot, without_brackets(span_from(wish->sender)), now_s, &tagged)
                : tag_message_id(snapshot, without_brackets(span_from(wish->message_id)), now_s, &tagged);
        if (!is_made) {
                fprintf(stderr, "gatepost: needs local@domain without a tag\n");
                return 1;
        }
        printf(wish->sender != NULL ? "%.*s\n" : "<%.*s>\n", (int)tagged.length, tagged.at);
        return fflush(stdout) == 0 ? 0 : 1;
}

int tag_main(int argc, char **argv)
{
        struct wish wish = {0};
        const struct usage_option options[] = {{"config", &wish.configuration, NULL},
                                               {"message-id", &wish.message_id, NULL},
                                               {"sender", &wish.sender, NULL},
                                               {"table", NULL, &wish.is_table},
                                               {0}};
        struct conf_complaints complaints = {0};

        if (!usage_read_options(tag_help, options, 0, argc, argv))
                return USAGE_STATUS;
        if (wish.configuration == NULL)
                return usage_fault(tag_help, "tag: -c FILE is missing");
        if ((wish.message_id != NULL) + (wish.sender != NULL) + wish.is_table != 1)
                return usage_fault(tag_help, "tag: needs one of --message-id, --sender and --table");
        struct snapshot *snapshot = snapshot_load(wish.configuration, &complaints);
        if (snapshot == NULL && complaints.text != NULL)
                fputs(complaints.text, stderr);
        conf_complaints_end(&complaints);
        if (snapshot == NULL)
                return 1;
        int status = fulfil(&wish, snapshot);
        snapshot_free(snapshot);
        return status;
}
