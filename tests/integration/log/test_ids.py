#!/usr/bin/env python3
"""Reject ids: whoever has many of them learns neither the next one, nor when, by which thread and as which of many it was given."""

import re

from common.harness import HELO, Server, case, equal, main, wait_for

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
SESSIONS, REFUSALS = 12, 25


def refused_ids(server):
    """The ids that clients are told, in their order."""
    ids = []
    for _ in range(SESSIONS):
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command("MAIL FROM:<a@example.com>", 250)
            for _ in range(REFUSALS):
                ids.append(re.search(r"\[(.*)\]$", client.command("RCPT TO:<nobody@isp.example>", 550))[1])
    return ids


def number(text):
    return sum(DIGITS.index(digit) << 5 * place for place, digit in enumerate(reversed(text)))


@case("ids of consecutive refusals have nothing in common, also not across a restart, and are twelve characters as ever")
def untold(directory):
    options = "workers = 2\nerrors_max = 1000\nsender_store = \"lmdb:.\"\nclient_rate { mode = off }\n"
    ids = []
    for _ in range(2):
        with Server(directory, options) as server:
            ids += refused_ids(server)
            wait_for("the log", lambda: ids[-1] in (directory / "log").read_text())
    equal(len(set(ids)), len(ids), "different ids")
    assert all(len(one) == 12 and set(one) <= set(DIGITS) for one in ids), ids
    numbers = [number(one) for one in ids]
    # In the clear all would begin alike, and grow by one; at random a pair of 600 has the same first 20 bits in one of 6 runs.
    equal(len({one >> 40 for one in numbers}) > len(ids) - 6, True, "beginnings")
    equal(len({one & 0xfffff for one in numbers}) > len(ids) - 6, True, "ends")
    rises = sum(before < after for before, after in zip(numbers, numbers[1:]))
    assert abs(rises - len(ids) / 2) < 75, f"{rises} of {len(ids)} rise"  # more than ten times its standard deviation
    changed = sum((before ^ after).bit_count() for before, after in zip(numbers, numbers[1:])) / (len(ids) - 1)
    assert 28 < changed < 32, f"{changed} of 60 bits change"
    mails = {mail["id"] for line in server.sessions() for mail in line["transactions"]}
    equal((len(mails), mails & set(ids)), (2 * SESSIONS, set()), "ids of mails")


if __name__ == "__main__":
    main()
