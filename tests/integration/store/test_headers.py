#!/usr/bin/env python3
"""What the store is told by fields at the front: Return-Path and Delivered-To of each copy, in Maildirs and for next hops; and which
address a next hop is told where the client has said that of an alias."""

from common.harness import SENDER, Server, case, equal, main
from common.messages import HEADER
from common.daemons.next_hop import NextHop

TEXT = HEADER + b"text\r\n"
LONG = HEADER + (b"y" * 998 + b"\r\n") * 1000  # longer than what a session holds: it is sent ahead
RETURN_PATH = f"Return-Path: <{SENDER}>".encode()


def front(mail, newline=b"\r\n"):
    """The fields before Received."""
    assert b"Received: from" in mail, mail[:1000]
    return mail.split(b"Received: from")[0].split(newline)[:-1]


@case("each copy in a Maildir has its own Delivered-To, long messages as well, and the text is the same")
def maildirs(directory):
    others = """}\ndomain "other.example" { recipients = "recipients.txt" deliver = "maildir:mail/%d/%u" return_path = no }
        domain "alias.example" { alias_of = "isp.example" """
    recipients = ("alice+news@isp.example", "bob@alias.example", "alice@other.example", "Bob+x@isp.example")
    with Server(directory, "spf { received_spf = no }", domain='extension = "+" delivered_to = address' + others) as server:
        for text in TEXT, LONG:
            with server.client() as client:
                client.deliver(text, recipients=recipients)
            alice, bob = server.mails("alice")[-1], server.mails("bob")[-1]
            other = server.mails("alice", "other.example")[-1]
            equal(front(alice), [RETURN_PATH, b"Delivered-To: alice+news@isp.example"], "alice's front")
            equal(front(bob), [RETURN_PATH, b"Delivered-To: bob@alias.example"], "bob's front")
            equal(front(other), [], "front of another domain")
            rests = [mail[mail.index(b"Received: from"):] for mail in (alice, bob, other)]
            equal(rests[1:], rests[:1] * 2, "texts")
            assert rests[0].endswith(text), rests[0][-200:]
            equal((len(server.mails("alice")), len(server.mails("bob"))), (1, 1) if text is TEXT else (2, 2), "copies")


@case("mailbox: the address without its extension, with the line ends of the Maildir")
def mailbox(directory):
    with Server(directory, "maildir_newline = lf", domain='extension = "+" delivered_to = mailbox') as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=("Alice+x@isp.example", "postmaster"))
        equal(front(server.mails("alice")[0], b"\n"), [RETURN_PATH, b"Delivered-To: alice@isp.example"], "front")
        equal(front(server.mails("postmaster")[0], b"\n")[1:], [b"Delivered-To: postmaster@isp.example"], "postmaster's front")


@case("a next hop is told no Return-Path but by option, and Delivered-To only of one recipient")
def next_hop(directory):
    with NextHop() as hop:
        with Server(directory, domain="delivered_to = address", deliver=hop.address) as server:
            with server.client() as client:
                client.deliver(TEXT)
                client.deliver(TEXT, recipients=("alice@isp.example", "bob@isp.example"), helo=None)
            server.write_configuration(domain="return_path = yes")
            server.reload()
            with server.client() as client:
                client.deliver(TEXT, recipients=("alice@isp.example", "bob@isp.example"))
        fronts = [front(text) for _, _, text in hop.mails]
        equal(fronts, [[b"Delivered-To: alice@isp.example"], [], [], [RETURN_PATH], [RETURN_PATH]], "fronts")


@case("a next hop is told the address in the domain that has the mailboxes, with its extension, and nothing of an alias")
def alias(directory):
    others = '}\ndomain "alias.example" { alias_of = "isp.example" '
    recipients = ("alice@isp.example", "Bob+x@alias.example", "postmaster@alias.example", "postmaster")
    with NextHop() as hop, Server(directory, domain='extension = "+"' + others, deliver=hop.address) as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=recipients)
        told = [recipient for _, recipient, _ in hop.mails]
        equal(told, ["alice@isp.example", "Bob+x@isp.example", "postmaster@isp.example", "postmaster@isp.example"], "recipients")
        assert b"alias" not in b"".join(text for _, _, text in hop.mails), hop.mails


if __name__ == "__main__":
    main()
