/* What stands in front of one copy of a message. */
#include "core/mail/front.h"

#include "core/base/local_part.h"

#include <criterion/criterion.h>

static struct domain isp = {.name = {"isp.example", 11}};
static struct domain alias = {.name = {"alias.example", 13}, .alias_of = &isp};

static struct recipient recipient_of(const struct domain *domain, const char *address, const char *mailbox)
{
        return (struct recipient){
            .address = span_from(address), .mailbox = span_from(mailbox), .domain = domain};
}

static void expect_front(const struct recipient *recipient, enum newline_form newline, const char *expected)
{
        const struct message message = {.sender = SPAN("carol@example.com"), .newline = newline};
        char octets[FRONT_MAX];
        struct text front;

        text_over(&front, octets, sizeof octets);
        front_write(&front, &message, recipient);
        cr_expect(span_equals(text_span(&front), span_from(expected)), "%.*s is not %s", (int)front.length,
                  front.at, expected);
}

static void expect_hop_front(struct recipient *recipients, size_t count, const char *expected)
{
        const struct message message = {
            .recipients = recipients, .recipient_count = count, .newline = NEWLINE_LF};
        char octets[FRONT_MAX];
        struct text front;

        text_over(&front, octets, sizeof octets);
        front_write_for_hop(&front, &message);
        cr_expect(span_equals(text_span(&front), span_from(expected)), "%.*s is not %s", (int)front.length,
                  front.at, expected);
}

Test(front, of_a_maildir)
{
        struct recipient alice = recipient_of(&isp, "Alice+x@ISP.example", "alice");

        isp.options = (struct domain_options){0};
        expect_front(&alice, NEWLINE_CRLF, "Return-Path: <carol@example.com>\r\n");
        isp.options.delivered_to = DELIVERED_TO_MAILBOX;
        expect_front(&alice, NEWLINE_LF,
                     "Return-Path: <carol@example.com>\nDelivered-To: alice@isp.example\n");
        isp.options.return_path = FIELD_NO;
        expect_front(&alice, NEWLINE_CRLF, "Delivered-To: alice@isp.example\r\n");
        isp.options.delivered_to = DELIVERED_TO_ADDRESS;
        expect_front(&alice, NEWLINE_CRLF, "Delivered-To: Alice+x@ISP.example\r\n");
        isp.options.delivered_to = DELIVERED_TO_NOT;
        expect_front(&alice, NEWLINE_CRLF, "");
}

/* The options, and the mailbox, are those of the domain that it is an alias of. */
Test(front, of_aliases_and_odd_addresses)
{
        struct recipient bob = recipient_of(&alias, "bob+x@alias.example", "bob");
        struct recipient postmaster = recipient_of(&isp, "postmaster", "postmaster");
        struct recipient odd = recipient_of(&isp, "\"a \\\"b\"@isp.example", "a \"b\\");

        isp.options = (struct domain_options){.return_path = FIELD_NO, .delivered_to = DELIVERED_TO_MAILBOX};
        expect_front(&bob, NEWLINE_CRLF, "Delivered-To: bob@isp.example\r\n");
        expect_front(&odd, NEWLINE_CRLF, "Delivered-To: \"a \\\"b\\\\\"@isp.example\r\n");
        isp.options.delivered_to = DELIVERED_TO_ADDRESS;
        expect_front(&bob, NEWLINE_CRLF, "Delivered-To: bob+x@alias.example\r\n");
        expect_front(&odd, NEWLINE_CRLF, "Delivered-To: \"a \\\"b\"@isp.example\r\n");
        expect_front(&postmaster, NEWLINE_CRLF, "Delivered-To: postmaster@isp.example\r\n");
}

Test(front, of_a_next_hop)
{
        struct recipient others = recipient_of(&alias, "bob@alias.example", "bob");
        struct recipient first = recipient_of(&isp, "alice@isp.example", "alice");

        isp.options = (struct domain_options){.delivered_to = DELIVERED_TO_ADDRESS};
        expect_hop_front(&first, 1, "Delivered-To: alice@isp.example\r\n");
        first.next = &others;
        expect_hop_front(&first, 2, "");
        isp.options.return_path = FIELD_YES;
        expect_hop_front(&first, 2, "Return-Path: <>\r\n");
}

/* The longest of all fits. */
Test(front, has_room)
{
        char mailbox[LOCAL_PART_MAX + 1], domain[254], sender[255], octets[FRONT_MAX];
        struct domain longest = {.options = {.delivered_to = DELIVERED_TO_MAILBOX}};
        struct text front;

        memset(mailbox, '"', LOCAL_PART_MAX);
        mailbox[LOCAL_PART_MAX] = '\0';
        memset(domain, 'd', sizeof domain);
        memset(sender, 's', sizeof sender);
        longest.name = span_of(domain, sizeof domain);
        struct recipient recipient = recipient_of(&longest, "x@d", mailbox);
        const struct message message = {.sender = span_of(sender, sizeof sender)};
        text_over(&front, octets, sizeof octets);
        front_write(&front, &message, &recipient);
        cr_expect_not(front.overflowed);
}
