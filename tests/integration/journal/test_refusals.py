#!/usr/bin/env python3
"""What the client is told where neither a next hop nor the journal takes its mail has a reject id, which `gatepost explain` finds."""

import re

from common.explained import explain
from common.harness import Server, case, equal, free_port, main, wait_for
from common.messages import HEADER

LONG = HEADER + (b"y" * 998 + b"\r\n") * 3000
JOURNAL = 'journal = "journal" journal_size = 12M journal_segment = 4M'


def explained(server, told, *words):
    found = re.search(r" \[([0-9A-Z]{12})\]$", told)
    assert found, told
    wait_for("a line", lambda: any(found[1] in str(line) for line in server.log()))
    shown = explain(server, found[1])
    for word in words:
        assert word in shown, (word, shown)


def answer_of(client, text):
    """What a mail with this text is told."""
    client.begin()
    client.raw(text + b".\r\n")
    return client.reply()


@case("a full journal is 452 with an id, whose line has the reason")
def full(directory):
    with Server(directory, JOURNAL, "journal = always", deliver=f"lmtp://127.0.0.1:{free_port()}") as server:
        for _ in range(8):
            with server.client() as client:
                code, told = answer_of(client, LONG)
            if code != 250:
                break
        equal((code, told[:6]), (452, "4.3.1 "), "the answer")
        explained(server, told, "452 4.3.1", "Why: the mail store is full", "the journal has reached journal_size")


@case("a next hop that is down is 451 with an id where the journal has no part in it")
def down(directory):
    hop = f"lmtp://127.0.0.1:{free_port()}"
    with Server(directory, JOURNAL, "journal = never", deliver=hop) as server:
        with server.client() as client:
            client.envelope()
            told = client.command("DATA", 451)
        explained(server, told, "451 4.3.2", hop, "Why: the mail store could not be reached", "no next hop takes mail now")


main()
