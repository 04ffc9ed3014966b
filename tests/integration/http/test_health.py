#!/usr/bin/env python3
"""/health and /ready: what they say is wrong, and that they ask nobody for a request."""

import signal

from common.dns_peers import ScriptedDns, by_table
from common.hang import hang, release
from common.harness import case, equal, free_port, main, run_program
from common.web import get, wait_for_status, web_server


@case("a server without resolvers is ready when it runs, and is no more when it stops")
def plain(directory):
    with web_server(directory, "shutdown_timeout = 30s") as server:
        equal(wait_for_status(server.web, "/ready", 200).json(), {"status": "ready"}, "ready")
        equal(get(server.web, "/health").json(), {"status": "healthy"}, "healthy")
        with server.client() as client:
            client.begin()
            server.signal(signal.SIGTERM)
            answer = wait_for_status(server.web, "/ready", 503)
            equal(answer.json(), {"status": "not ready", "faults": ["stopping"]}, "while it stops")
            equal(get(server.web, "/health").status, 200, "health while it stops")
            client.finish(b"Subject: x\r\n\r\nThe last one.\r\n")


@case("a server that drains is not ready from the first moment on, and is again when the drain is taken back")
def draining(directory):
    with web_server(directory, 'control = "control.sock"\ndrain_wait = 1h') as server:
        wait_for_status(server.web, "/ready", 200)
        run = run_program("drain", "-c", directory / "gatepost.conf")
        equal(run.returncode, 0, run.stderr)
        equal(wait_for_status(server.web, "/ready", 503).json()["faults"], ["draining"], "faults")
        equal(run_program("drain", "--undo", "-c", directory / "gatepost.conf").returncode, 0, "undo")
        wait_for_status(server.web, "/ready", 200)


@case("a server whose resolvers are silent is not ready, and one answer of one of them is enough")
def resolvers(directory):
    port, other = free_port(), free_port()
    with web_server(directory, f'resolvers = {{"127.0.0.1:{port}", "127.0.0.1:{other}"}}') as server:
        answer = wait_for_status(server.web, "/ready", 503)
        equal(answer.json()["faults"], ["no resolver answers"], "faults")
        equal(get(server.web, "/health").status, 200, "health")
        with ScriptedDns(by_table({}), other) as peer:
            wait_for_status(server.web, "/ready", 200)
            before = len(peer.queries)
            for _ in range(50):
                equal(get(server.web, "/ready").status, 200, "ready")
            assert len(peer.queries) <= before + 5, "a question for each request"


@case("an overseer that hangs is told by name, and on the status page beside what keeps the server from being ready")
def hanging(directory):
    with web_server(directory, f'resolvers = {{"127.0.0.1:{free_port()}"}}') as server:
        wait_for_status(server.web, "/health", 200)
        stopped = hang(server, "overseer")  # it allocates nothing, and holds no lock
        try:
            faults = wait_for_status(server.web, "/health", 503).json()["faults"]
            page = get(server.web, "/").text()
        finally:
            release(stopped)
        equal(faults, ["the overseer does not turn"], "faults")
        assert ">load: ease</span> the overseer does not turn, no resolver answers</p>" in page, page
        wait_for_status(server.web, "/health", 200)


if __name__ == "__main__":
    main()
