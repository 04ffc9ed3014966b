#!/usr/bin/env python3
"""client_rate with shared = yes: two servers on one Redis know of each other's harvesters, also after either was away."""

import signal
import time

from common.fleet import Redis, fleet, running, wait_until_reachable
from common.harness import case, equal, main, run_program, wait_for
from common.messages import HEADER
from common.senders import PATIENT_TIMEOUT, SENDER_TIMEOUT, connect, harvest, wait_until_refused

HARVESTER, OFFENDER, SLY, GOOD = "127.0.1.1", "127.0.2.1", "127.0.3.1", "127.0.4.1"


def options(redis, shared="yes", timeout=PATIENT_TIMEOUT):
    return f"""sender_store = "redis://127.0.0.1:{redis.port}"
sender_timeout = {timeout}ms
client_rate {{ mode = enforce  shared = {shared}  unknown_recipients = 5/10m  penalty = 1h }}"""


def deliver(server):
    with server.client(source=GOOD) as client:
        client.deliver(HEADER)


def is_told(one, two, source):
    """Whether a harvester of `one` is soon known to `two`."""
    equal(harvest(one, source, 6)[-1], 421, "the sixth guess")
    for _ in range(10):
        if connect(two, source) == 421:
            return True
        time.sleep(0.1)
    return False


@case("a harvester punished by one server gets 421 at accept of the other, and of one that starts later; guesses at both add up")
def harvester(directory):
    with Redis(directory / "redis") as redis:
        one, two, three = fleet(directory, 3, options(redis))
        with running([one, two]):
            wait_until_reachable([one, two])
            equal(harvest(one, HARVESTER, 6)[-1], 421, "the sixth guess")
            wait_until_refused(two, HARVESTER)
            # Three here and three there are six, though neither has seen more than the limit.
            equal([harvest(server, SLY, 3)[-1] for server in (one, two)], [550, 550], "three guesses each")
            wait_until_refused(one, SLY)
            wait_until_refused(two, SLY)
            refused = wait_for("the log", lambda: [line["reason"] for line in two.events("client_refused")])
            assert "client_rate: unknown_recipients from 127.0.1.1, penalty " in refused[0], refused
            with running([three]):
                wait_until_refused(three, HARVESTER)
                for server in (one, two, three):
                    deliver(server)
                    equal(len(server.mails()), 1, "mails of a good sender")


@case("while Redis is away each server goes on by itself; once it is back they share again")
def away(directory):
    with Redis(directory / "redis") as redis, running(fleet(directory, 2, options(redis))) as servers:
        one, two = servers
        wait_until_reachable(servers)
        equal(harvest(one, HARVESTER, 6)[-1], 421, "the sixth guess")
        wait_until_refused(two, HARVESTER)
        for server in servers:
            (server.directory / "stderr").write_text("")
        redis.kill()
        equal(harvest(one, OFFENDER, 6)[-1], 421, "the sixth guess, without Redis")
        equal([connect(server, OFFENDER) for server in servers], [421, 220], "each for itself")
        equal([connect(server, HARVESTER) for server in servers], [421, 421], "what was known stays")
        for server in servers:
            deliver(server)
        redis.start()
        wait_until_reachable(servers)
        equal(harvest(two, OFFENDER, 6)[-1], 421, "the sixth guess")
        equal(harvest(two, SLY, 6)[-1], 421, "the sixth guess")
        wait_until_refused(one, SLY)


@case("a Redis that stands still holds nobody up")
def stuck(directory):
    with Redis(directory / "redis") as redis, running(fleet(directory, 2, options(redis, timeout=SENDER_TIMEOUT))) as servers:
        one, two = servers
        wait_until_reachable(servers)
        redis.process.send_signal(signal.SIGSTOP)
        try:
            equal(harvest(one, HARVESTER, 6)[-1], 421, "the sixth guess")
            for _ in range(3):
                equal(connect(two, HARVESTER), 220, "at the other")
                deliver(two)
        finally:
            redis.process.send_signal(signal.SIGCONT)
        equal(connect(one, HARVESTER), 421, "at the one that knows")
        numbers = iter(range(10, 100))
        wait_for("penalties told again", lambda: is_told(one, two, f"127.0.{next(numbers)}.1"))


@case("shared = no: nothing is told, nothing is heard; shared = yes without Redis is an error")
def apart(directory):
    with Redis(directory / "redis") as redis:
        one, two, three = fleet(directory, 3, options(redis))
        two.options = options(redis, "no")
        two.write_configuration()
        with running([one, two]):
            wait_until_reachable([one, two])
            equal([harvest(server, source, 6)[-1] for server, source in ((one, HARVESTER), (two, OFFENDER))], [421, 421], "the sixth guess")
            # What comes later has come when it is there.
            with running([three]):
                wait_until_refused(three, HARVESTER)
                equal(connect(three, OFFENDER), 220, "what was not told")
            equal(connect(two, HARVESTER), 220, "what was not listened to")
    one.write_configuration(options="client_rate { shared = yes }")
    run = run_program("check-config", "-c", str(one.directory / "gatepost.conf"))
    equal(run.returncode, 1, "status")
    assert "shared: needs what other machines use too" in run.stderr, run


if __name__ == "__main__":
    main()
