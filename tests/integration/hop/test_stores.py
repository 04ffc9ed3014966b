#!/usr/bin/env python3
"""Real next hops: Dovecot by LMTP and Postfix by SMTP take mail, refuse and defer it, and their logs know the client."""

import pwd
import re
import shutil

from common.daemons.dovecot import Dovecot, need_dovecot
from common.harness import SENDER, Server, case, equal, free_port, main, wait_for
from common.messages import HEADER, MESSAGES
from common.postfix import Postfix, need_postfix

USERS = ("alice", "bob", "carol", "dave", "eve", "broken", "full", "unknown")
TEXT = HEADER + b"text\r\n"
# As a store writes it: lines end in LF, and what comes before the text is the trace of us both.
FIRST = b"From: me@example.com\n"
# Postfix cuts lines where a Maildir's reader could not take them; Dovecot takes all.
LONG_FOR_POSTFIX = "a line of 100,000 octets"


def serve(directory, address, options=""):
    directory.mkdir(parents=True, exist_ok=True)
    return Server(directory, f"next_hops {{ refusals_kept = 0s {options} }}", recipients=USERS, deliver=address)


def text_of(mail):
    """As it was sent, with the line ends of the net."""
    mail = mail.replace(b"\r\n", b"\n")
    return mail[mail.index(FIRST):].replace(b"\n", b"\r\n")


def with_header(leave_out=()):
    return {name: text for name, text in MESSAGES.items() if text.startswith(HEADER) and name not in leave_out}


def send_all(server, texts):
    with server.client() as client:
        for text in texts.values():
            client.deliver(text, recipients=("alice@isp.example", "bob@isp.example"), parameters=" BODY=8BITMIME")


def compare(texts, mails, user):
    equal(len(mails), len(texts), f"mails of {user}")
    found = sorted(text_of(mail) for mail in mails)
    for ours, theirs in zip(sorted(texts.values()), found, strict=True):
        equal(theirs, ours, f"a mail of {user}")


def refused(client, users, code, words, parameters=""):
    """At DATA, for what the next hop says of the envelope."""
    client.command(f"MAIL FROM:<{SENDER}>{parameters}", 250)
    for user in users:
        client.command(f"RCPT TO:<{user}@isp.example>", 250)
    assert words in client.command("DATA", code), words
    client.command("RSET", 250)


# ---- Dovecot: what is asked of one that runs, each with users of its own

def dovecot_takes(directory, dovecot):
    texts = with_header()
    for count, address in enumerate((dovecot.by_tcp, dovecot.at_path), 1):
        with serve(directory / str(count), address) as server:
            send_all(server, texts)
        for user in "alice", "bob":
            mails = dovecot.mails(user)
            equal(len(mails), len(texts) * count, f"mails of {user}")
            compare(texts, mails[-len(texts):], user)


def dovecot_refuses(directory, dovecot):
    shutil.rmtree(dovecot.directory / "mail/broken", ignore_errors=True)
    (dovecot.directory / "mail/broken").write_text("no folder")
    with serve(directory, dovecot.by_tcp) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        refused(client, ["unknown"], 550, "User doesn't exist: unknown@isp.example")
        refused(client, ["carol", "unknown"], 451, "User doesn't exist: unknown@isp.example")
        refused(client, ["carol"], 550, "takes no internationalized mail", " SMTPUTF8")
        client.begin(["full@isp.example"])
        assert "Quota exceeded" in client.finish(TEXT, 552)
        client.begin(["broken@isp.example"])
        client.finish(TEXT, 451)
        client.deliver(TEXT, recipients=["carol@isp.example"])
        equal(len(dovecot.mails("carol")), 1, "mails")


def dovecot_is_told(directory, dovecot):
    sources = "127.0.0.2", "127.0.0.3"
    with serve(directory, dovecot.by_tcp, "naming = xclient") as server:
        for source in sources:
            with server.client(source=source) as client:
                client.deliver(TEXT, recipients=["dave@isp.example"])
    for source, mail in zip(sources, dovecot.mails("dave"), strict=True):
        assert b"([%s])\n\tby " % source.encode() in mail, mail


@case("Dovecot has each message octet for octet, its words reach the client, and it learns by XCLIENT who that is")
def by_dovecot(directory):
    need_dovecot()
    with Dovecot(directory / "dovecot", users=USERS[:6], full=["full"]) as dovecot:
        for ask in dovecot_takes, dovecot_refuses, dovecot_is_told:
            ask(directory / ask.__name__, dovecot)


# ---- Postfix

VIRTUAL = """
virtual_mailbox_domains = isp.example
virtual_mailbox_base = {directory}/mail
virtual_mailbox_maps = texthash:{directory}/etc/mailboxes
virtual_uid_maps = static:{owner.pw_uid}
virtual_gid_maps = static:{owner.pw_gid}
virtual_minimum_uid = 1
virtual_mailbox_limit = 0
message_size_limit = 50000000
line_length_limit = 200000
smtpd_relay_restrictions = reject_unauth_destination
smtpd_recipient_restrictions = check_recipient_access texthash:{directory}/etc/access
local_header_rewrite_clients =
smtpd_authorized_xclient_hosts = 127.0.0.1
smtpd_authorized_xforward_hosts = 127.0.0.1
"""

SMTPD = """
127.0.0.1:{port} inet n - n - - smtpd
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
"""


class Store(Postfix):
    """A Postfix that keeps mail in Maildirs."""

    def __init__(self, directory):
        owner = pwd.getpwnam("mail")
        listening = free_port()
        super().__init__(directory, 1, VIRTUAL.format(directory=directory, owner=owner), SMTPD.format(port=listening))
        (directory / "etc/mailboxes").write_text("".join(f"{user}@isp.example {user}/\n" for user in USERS[:5]))
        (directory / "etc/access").write_text("full@isp.example 452 4.2.2 the mailbox is full\n")
        self.address = f"smtp://127.0.0.1:{listening}"
        self.make_folder("mail", owner.pw_uid, owner.pw_gid, 0o755)

    def mails(self, user):
        return [path.read_bytes() for path in (self.directory / "mail" / user / "new").glob("*")]


def postfix_takes(directory, store):
    texts = with_header([LONG_FOR_POSTFIX])
    with serve(directory, store.address) as server:
        send_all(server, texts)
        for user in "alice", "bob":
            wait_for("all mails", lambda user=user: len(store.mails(user)) == len(texts))
            compare(texts, store.mails(user), user)
        foreign = "From: me@example.com\r\nSubject: Ελλάδα\r\n\r\n日本\r\n".encode()
        with server.client() as client:
            client.deliver(foreign, recipients=["eve@isp.example"], sender="grüße@example.com", parameters=" SMTPUTF8")
        equal(text_of(wait_for("the mail", lambda: store.mails("eve"))[0]), foreign, "internationalized mail")


def postfix_refuses(directory, store):
    with serve(directory, store.address) as server, server.client() as client:
        client.command("EHLO client.example.com", 250)
        refused(client, ["unknown"], 550, "User unknown")
        refused(client, ["full"], 452, "the mailbox is full")
        refused(client, ["carol", "unknown"], 451, "User unknown")
        client.deliver(TEXT, recipients=["carol@isp.example"])
        wait_for("the mail", lambda: len(store.mails("carol")) == 1)


def postfix_is_told(directory, store):
    for number, (naming, field) in enumerate((("xclient", "client"), ("xforward", "orig_client")), 2):
        with serve(directory / naming, store.address, f"naming = {naming}") as server, server.client(source=f"127.0.0.{number}") as client:
            for _ in range(2):
                client.deliver(TEXT, recipients=["dave@isp.example"])
        said = rf" {field}=\S+\[127\.0\.0\.{number}\]"
        wait_for(said, lambda said=said: len(re.findall(said, store.log())) >= 2)


@case("Postfix has each message octet for octet, its words reach the client, and its log knows by XCLIENT and XFORWARD who that is")
def by_postfix(directory):
    need_postfix()
    with Store(directory / "postfix") as store:
        for ask in postfix_takes, postfix_refuses, postfix_is_told:
            ask(directory / ask.__name__, store)


if __name__ == "__main__":
    main()
