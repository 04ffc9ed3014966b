#!/usr/bin/env python3
"""gatepost drain: who is let in when, what open sessions are told, how it ends, and that it can be taken back."""

import re

from common.control import OPTIONS, Control, command
from common.harness import SECONDS, Server, case, equal, main

SHORT = OPTIONS + "drain_wait = 500ms\nshutdown_timeout = 1h\n"


def state(server):
    with Control(server) as control:
        return control.ask("status")[0]["state"]


def wait_for_end(server):
    equal(server.process.wait(SECONDS), 0, "exit status")


@case("a drain tells new clients 421, lets a message finish, and ends with 0; in both accept modes")
def drains(directory):
    for acceptors in (2, 0):
        place = directory / str(acceptors)
        place.mkdir()
        with Server(place, SHORT + f"acceptors = {acceptors}\nworkers = 2\n") as server:
            idle, busy = server.client(), server.client()
            busy.begin()
            found = command(server, "drain")
            equal(found.returncode, 0, found.stderr)
            assert re.search(r"let in for 0\.5 s yet, then sessions have 3600\.0 s", found.stdout), found.stdout
            idle.expect(421)
            equal(state(server), "sending clients away")
            equal(command(server, "drain").returncode, 1, "a second drain")
            equal(command(server, "drain", "--undo").returncode, 1, "too late")
            for _ in range(3):
                with server.client(banner=421) as new:
                    assert new.is_closed()
            server.reload()
            busy.finish(b"Subject: busy\r\n")
            busy.expect(421)
            busy.close()
            wait_for_end(server)
            equal(len(server.mails()), 1, "mails")
            equal([line["stage"] for line in server.events("drain")], ["draining", "sending clients away"], "stages")
            idle.close()


@case("a drain serves new clients first, and can be taken back meanwhile")
def undone(directory):
    with Server(directory, OPTIONS + "drain_wait = 1h\n") as server:
        equal(command(server, "drain", "--undo").returncode, 1, "nothing to take back")
        equal(command(server, "drain").returncode, 0)
        equal(state(server), "draining")
        with server.client() as late:
            late.deliver(b"Subject: late\r\n")
            late.command("QUIT", 221)
        equal(command(server, "drain", "--undo").returncode, 0)
        equal(state(server), "serving")
        with server.client() as client:
            client.deliver(b"Subject: x\r\n")
            client.command("QUIT", 221)


@case("who does not go in shutdown_timeout is told 421, and SIGTERM ends a drain at once")
def bounded(directory):
    server = Server(directory, OPTIONS + "drain_wait = 0ms\nshutdown_timeout = 1s\n")
    with server.start():
        slow = server.client()
        slow.begin()
        equal(command(server, "drain").returncode, 0)
        slow.expect(421)
        wait_for_end(server)
        slow.close()
    server.write_configuration(options=OPTIONS + "drain_wait = 1h\n")
    with server.start():
        equal(command(server, "drain").returncode, 0)


if __name__ == "__main__":
    main()
