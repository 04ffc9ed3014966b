#!/usr/bin/env python3
"""What an operator does with the journal of a server that runs: looks into it, and drops what is not to be delivered."""

from common.harness import HELO, Server, case, equal, free_port, main, run_program, wait_for
from common.control import Control
from common.journal import listed, wait_until_empty
from common.messages import HEADER
from common.daemons.next_hop import HANG, NextHop

JOURNAL = 'control = "control" journal = "journal" journal_size = 24M journal_segment = 4M journal_retry_min = 1s'


def journal(server, verb, *numbers, status=0):
    run = run_program("journal", verb, "-c", str(server.directory / "gatepost.conf"), *numbers)
    equal(run.returncode, status, f"{verb}: {run.stderr}")
    return run.stdout + run.stderr


@case("list, show, verify and drop while the server runs: what is dropped is never delivered, also after a restart, and the rest is")
def drop(directory):
    port = free_port()
    places = {"deliver": f"lmtp://127.0.0.1:{port}", "domain": "journal = always"}
    with Server(directory, JOURNAL, **places) as server:
        with server.client() as client:
            for number in range(3):
                client.deliver(HEADER + b"mail %d\r\n" % number, helo=None if number else HELO)
        numbers = [line.split()[0] for line in listed(server)]
        equal(len(numbers), 3, "messages that wait")
        assert "mail 1" in journal(server, "show", numbers[1]), "show"
        assert "3 messages wait, 0 damages" in journal(server, "verify"), "verify"
        journal(server, "drop", numbers[1])
        equal([line.split()[0] for line in listed(server)], [numbers[0], numbers[2]], "what waits")
        event, = wait_for("an event", lambda: server.events("journal_dropped"))
        equal(event["message"], int(numbers[1]), "journal_dropped")
        assert "does not wait" in journal(server, "drop", numbers[1], "99", status=1), "what does not wait"
        control = Control(server)
        assert "there is no such order" in str(control.ask("journal_drop")), "no number"
        assert "there is no such order" in str(control.ask("journal_drop 1x")), "no number"
        assert "there is no such order" in str(control.ask("status 1")), "a number too many"
        wait_for("a counter", lambda: server.counters()["journal_settled"] == 1)
    with NextHop(port=port) as hop, Server(directory, JOURNAL, **places) as server:
        wait_for("mail", lambda: len(hop.mails) == 2)
        wait_until_empty(server)
        equal(sorted(text[-8:] for _, _, text in hop.mails), [b"mail 0\r\n", b"mail 2\r\n"], "mails")


@case("a message that its next hop has at the moment is not dropped, and waits on")
def away(directory):
    with NextHop() as hop, Server(directory, JOURNAL, deliver=hop.address, domain="journal = always") as server:
        hop.answers = {"DOT": HANG}
        with server.client() as client:
            client.deliver(HEADER + b"held\r\n")
        number = listed(server)[0].split()[0]
        wait_for("the next hop", lambda: "DATA" in hop.commands)
        assert "a next hop has this message at the moment" in journal(server, "drop", number, status=1), "drop"
        equal(len(listed(server)), 1, "it waits")


if __name__ == "__main__":
    main()
