#!/usr/bin/env python3
"""Where mail of the journal goes: to the next hops that its domain has now, or that are said of its recipient."""

from common.harness import Server, case, equal, free_port, main, run_program, wait_for
from common.journal import listed, wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import NextHop

TEXT = HEADER + b"end\r\n"
JOURNAL = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 200ms journal_retry_max = 400ms ' \
    "next_hops { retry_after = 100ms failures_max = 1000 }"
TWINS = 'domain "b.example" {{ recipients = "recipients.txt" deliver = "{}" journal = always }}'


def nobody():
    """A next hop that has died for good."""
    return f"lmtp://127.0.0.1:{free_port()}"


def recipients_of(hop):
    return sorted(recipient for _, recipient, _ in hop.mails)


@case("a reload with other next hops takes along what waits in the journal; what is said of single recipients stays")
def redirected(directory):
    dead = nobody()
    with NextHop() as own, NextHop() as hop, \
            Server(directory, JOURNAL, "journal = always", recipients=("alice", f"bob deliver={own.address}"), deliver=dead) as server:
        own.answers = {"MAIL": "451 4.0.0 later"}
        with server.client() as client:
            client.deliver(TEXT, recipients=("alice@ISP.example",))
            client.deliver(TEXT, recipients=("bob@isp.example",), helo=None)
            client.deliver(TEXT, recipients=("postmaster",), helo=None)
        wait_for("a try", lambda: server.counters()["journal_deferred"] > 0)
        equal(len(listed(server)), 3, "messages that wait")
        server.write_configuration(deliver=hop.address)
        server.reload()
        wait_for("mail at the new next hop", lambda: len(hop.mails) == 2)
        own.answers = {}
        wait_until_empty(server)
        equal(recipients_of(hop), ["alice@ISP.example", "postmaster@isp.example"], "at the domain's next hop")
        equal(recipients_of(own), ["bob@isp.example"], "at bob's own")


@case("a message for two domains that part goes to both, once; where a domain has no next hops any more the former ones count")
def parted(directory):
    port = free_port()
    first = f"lmtp://127.0.0.1:{port}"
    with NextHop() as hop, Server(directory, f"{JOURNAL} {TWINS.format(first)}", "journal = always", deliver=first) as server:
        with server.client() as client:
            client.deliver(TEXT, recipients=("alice@isp.example", "bob@b.example", "bob@isp.example"))
        equal(len(listed(server)), 1, "messages that wait")
        server.write_configuration(options=f"{JOURNAL} {TWINS.format(hop.address)}")
        server.reload()
        wait_for("mail of the domain that has moved", lambda: hop.mails)
        wait_for("the outcome", lambda: any("recipients 2 of 3" in line for line in listed(server)))
        server.write_configuration(domain="", deliver="maildir:mail/%d/%u", options=f"{JOURNAL} {TWINS.format(hop.address)}")
        server.reload()
        with NextHop(port=port) as former:
            wait_until_empty(server)
            equal(recipients_of(former), ["alice@isp.example", "bob@isp.example"], "at the former next hop")
        equal(recipients_of(hop), ["bob@b.example"], "at the other one")


@case("mail for a recipient with a next hop of its own uses the journal as its domain says, whatever has its settings")
def own_hops(directory):
    port = free_port()
    people = ("alice", f"bob deliver=lmtp://127.0.0.1:{port}")
    server = Server(directory, JOURNAL, recipients=people, deliver="maildir:mail/%d/%u")
    built = run_program("recipients", "build", str(directory / "recipients.txt"), "--out", str(directory / "people.lmdb"), "--domain", "isp.example")
    equal(built.returncode, 0, built.stderr)
    for source in "recipients.txt", "lmdb:people.lmdb":
        for use, code in ("never", 451), ("when-down", 250), ("always", 250):
            server.write_configuration(recipients=source, domain=f"journal = {use}")
            with server.start():
                with server.client() as client:
                    client.deliver(TEXT)
                    client.envelope(recipients=("bob@isp.example",), helo=None)
                    client.command("DATA", 354 if code == 250 else code)
                    if code == 250:
                        client.finish(TEXT)
                equal(len(listed(server)), int(code == 250), f"{source}, {use}: messages that wait")
                with NextHop(port=port) as hop:
                    wait_until_empty(server)
                    before = len(hop.mails)
                    equal(before, int(code == 250), f"{source}, {use}: mails from the journal")
                    with server.client() as client:
                        client.deliver(TEXT, recipients=("bob@isp.example",))
                    wait_until_empty(server)
                    equal(recipients_of(hop), ["bob@isp.example"] * (before + 1), f"{source}, {use}: recipients")
    equal(len(server.mails("alice")), 6, "alice's mails")


main()
