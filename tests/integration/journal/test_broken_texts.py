#!/usr/bin/env python3
"""Long texts are on their way to the next hop as they come. Where it breaks off in the midst of one the journal gets all of it."""

from common.harness import Server, case, equal, main, wait_for
from common.journal import listed, wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import GO_AWAY, NextHop

LONG = HEADER + b"".join(b"%07d " % number + b"y" * 990 + b"\r\n" for number in range(3000))  # in some ten pieces
JOURNAL = 'journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 500ms'
OPTIONS = "next_hops { retry_after = 100ms failures_max = 1000 }"
BOTH = ("alice@isp.example", "bob@isp.example")


def text_of(mail):
    return mail[2][mail[2].index(HEADER):]


@case("when-down: a next hop that closes within the text or behind it, and one that takes it for some, leave the rest to the journal")
def kept(directory):
    with NextHop() as hop, Server(directory, f"{JOURNAL} {OPTIONS}", deliver=hop.address) as server:
        for answers, recipients, left in (
                ({"TEXT": GO_AWAY}, BOTH, BOTH), ({"DOT": GO_AWAY}, BOTH, BOTH), ({"DOT bob": "452 4.2.2 bob is full"}, BOTH, BOTH[1:])):
            hop.answers = answers
            before = len(hop.mails)
            with server.client() as client:
                client.deliver(LONG, recipients=recipients)
            line, = listed(server)
            assert f"recipients {len(left)} of {len(left)}" in line, line
            hop.answers = {}
            wait_until_empty(server)
            mails = hop.mails[before:]
            equal({text_of(mail) == LONG for mail in mails}, {True}, f"{answers}: whole texts")
            got = sorted(recipient for _, recipient, _ in mails)
            equal(got, list(BOTH), f"{answers}: recipients")
        with server.client() as client:
            client.deliver(LONG)
        equal((text_of(hop.mails[-1]) == LONG, listed(server)), (True, []), "a mail that nothing happens to")
        wait_for("memory that is given back", lambda: server.counters()["memory_held"] < 1 << 20)


@case("the client is told 451 where the domain wants no journal, and where memory is not for that")
def not_kept(directory):
    for number, (options, domain) in enumerate((("", "journal = never"), ("client_memory_max = 6M", "journal = when-down"))):
        place = directory / str(number)
        place.mkdir()
        with NextHop() as hop, Server(place, f"{JOURNAL} {OPTIONS} {options}", domain, deliver=hop.address) as server:
            hop.answers = {"TEXT": GO_AWAY}
            with server.client() as client:
                client.begin()
                client.finish(LONG, 451)
            equal(listed(server), [], "messages that wait")
            hop.answers = {}
            with server.client() as client:
                client.deliver(LONG)
            equal([text_of(mail) == LONG for mail in hop.mails], [True], "the next try")
            counted = wait_for("memory that is given back", lambda: (found := server.counters())["memory_held"] < 1 << 20 and found)
            equal(counted["memory_refused"], 0, "memory_refused")


main()
