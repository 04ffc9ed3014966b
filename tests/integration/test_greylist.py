#!/usr/bin/env python3
"""The greylist with its real stores: LMDB through kill -9, Redis shared by two servers, killed, stopped and back; the subcommand."""

import re
import signal

from common.fleet import Redis, fleet, running, wait_until_reachable
from common.harness import HELO, Server, case, equal, free_port, main, run_program, wait_for
from common.senders import ANYBODY, PATIENT_TIMEOUT, SENDER_TIMEOUT, greylist, mail, seconds_left


def options(store, delay="1h", more="", timeout=PATIENT_TIMEOUT):
    return f'sender_store = "{store}"\nstate_timeout = {timeout}ms\ngreylist {{ mode = enforce delay = {delay} {more} }}'


@case("first contact is deferred, a retry passes, and the client is allowed after some deliveries")
def retry(directory):
    with Server(directory, options("lmdb:state", "1s", "auto_allow_after = 2 auto_allow_interval = 0ms")) as server:
        equal(seconds_left(mail(server)), 1, "seconds left")
        wait_for("a retry that passes", lambda: mail(server)[0] == 250)
        equal(mail(server)[0], 250, "the next mail")
        counted = re.compile(r"^delivered net:127\.0\.0\.0/24 count 2 ", re.M)
        wait_for("two deliveries counted", lambda: counted.search(greylist(server, "list")))
        equal(mail(server, "stranger@example.net")[0], 250, "another sender of an allowed network")


@case("kill -9 keeps what was remembered")
def killed(directory):
    server = Server(directory, options("lmdb:state"))
    with server:
        seconds_left(mail(server))
        wait_for("the record in the store", lambda: ANYBODY in greylist(server, "list"))
        server.kill()
        server.start()
        mail(server)
        wait_for("the log line", lambda: "came back too early" in (server.directory / "log").read_text())
        equal(greylist(server, "list").count("waiting"), 1, "records")


@case("gatepost greylist lists, allows and forgets beside the running server, and explain stores nothing")
def command(directory):
    with Server(directory, options("lmdb:state")) as server:
        envelope = ("--ip", "127.0.0.1", "--helo", HELO, "--from", ANYBODY, "--to", "alice@isp.example")
        said = run_program("explain", "-c", str(directory / "gatepost.conf"), *envelope)
        assert re.search(r"^greylist +enforce +defer .*first contact", said.stdout, re.M), said
        assert "  saw a record of sender_store absent\n" in said.stdout, said
        assert "S: 451 4.7.1 greylisted" in said.stdout, said
        equal(greylist(server, "list"), "", "what explain has stored")
        seconds_left(mail(server))
        wait_for("the record", lambda: "waiting   net:127.0.0.0/24 carol@example.com alice@isp.example" in greylist(server, "list"))
        said = run_program("explain", "-c", str(directory / "gatepost.conf"), *envelope)
        assert re.search(r"^greylist +enforce +defer .*came back too early", said.stdout, re.M), said
        greylist(server, "allow", "127.0.0.9")
        equal(mail(server)[0], 250, "after allow")
        equal(mail(server, "stranger@example.net")[0], 250, "another sender after allow")
        said = run_program("explain", "-c", str(directory / "gatepost.conf"), *envelope)
        assert re.search(r"^greylist +enforce +pass .*the client is allowed", said.stdout, re.M), said
        listed = greylist(server, "list", "127.0.0.1")
        assert re.search(r"^allowed   net:127\.0\.0\.0/24 first \S+Z last \S+Z$", listed, re.M), listed
        assert re.search(r"^waiting   net:127\.0\.0\.0/24 carol@example\.com alice@isp\.example first \S+Z last \S+Z until \S+Z$",
                         listed, re.M), listed
        equal(greylist(server, "list", "192.0.2.1"), "", "of somebody else")
        equal(greylist(server, "forget", "net:127.0.0.0/24"), "2 forgotten\n", "forget")
        equal(greylist(server, "list"), "", "after forget")
        equal(seconds_left(mail(server)), 3600, "seconds left after forget")
        greylist(server, "allow", status=2)
        greylist(server, "forget", "no/body", status=2)


@case("a store that cannot be opened keeps the server from starting; a change of it takes a restart and says so")
def trouble(directory):
    (directory / "file").write_text("x")
    server = Server(directory, options("lmdb:file"))
    run = run_program("serve", "--as-root", "-c", str(directory / "gatepost.conf"))
    equal(run.returncode, 1, "status")
    assert "cannot open the store of senders" in run.stderr, run.stderr
    server.options = options("lmdb:state")
    server.write_configuration()
    with server:
        seconds_left(mail(server))
        server.write_configuration(options=options("lmdb:other", "30m"))
        server.signal(signal.SIGHUP)
        wait_for("the warning", lambda: "a change of sender_store takes a restart" in server.stderr())
        wait_for("the reload", lambda: server.events("reload"))  # the warning comes before it
        assert 1700 < seconds_left(mail(server, "dave@example.com")) <= 1800
        assert not (directory / "other").exists()


# ---- redis -------------------------------------------------------------------------------------------------------

@case("two servers share one Redis, serve without it, and find it again")
def shared(directory):
    with Redis(directory / "redis") as redis, running(fleet(directory, 2, options(f"redis://127.0.0.1:{redis.port}"))) as servers:
        one, two = servers
        wait_until_reachable(servers)
        first = seconds_left(mail(one))
        wait_for("the record", lambda: ANYBODY in greylist(two, "list"))
        assert seconds_left(mail(two)) <= first
        two_log = two.directory / "log"
        wait_for("an early retry at the other server", lambda: "came back too early" in two_log.read_text())
        greylist(one, "allow", "net:127.0.0.0/24")
        equal([mail(server, "x@example.net")[0] for server in servers], [250, 250], "allowed at both")
        greylist(one, "forget", "127.0.0.1")
        seconds_left(mail(two))
        wait_for("the record", lambda: ANYBODY in greylist(one, "list"))
        for server in servers:
            (server.directory / "stderr").write_text("")
        redis.kill()
        equal([mail(server, "y@example.net")[0] for server in servers], [250, 250], "without the store")
        redis.start()
        wait_until_reachable(servers)
        for server in servers:
            seconds_left(mail(server))
        equal(greylist(one, "list").count(ANYBODY), 1, "records after the return")


@case("a Redis that is stopped holds no session up, and is used again when it goes on")
def slow(directory):
    with Redis(directory / "redis") as redis, \
            running(fleet(directory, 1, options(f"redis://127.0.0.1:{redis.port}", timeout=SENDER_TIMEOUT))) as servers:
        wait_until_reachable(servers)
        wait_for("the greylist at work", lambda: mail(servers[0])[0] == 451)
        redis.process.send_signal(signal.SIGSTOP)
        try:
            for number in range(3):
                equal(mail(servers[0], f"s{number}@example.net")[0], 250, "while it is stopped")
        finally:
            redis.process.send_signal(signal.SIGCONT)
        wait_for("the greylist at work again", lambda: mail(servers[0], "anew@example.net")[0] == 451)


@case("the next server of the list is used when the first is away")
def failover(directory):
    away = free_port()
    with Redis(directory / "redis") as redis, \
            running(fleet(directory, 1, options(f"redis://127.0.0.1:{away},127.0.0.1:{redis.port}"))) as servers:
        wait_until_reachable(servers)
        seconds_left(mail(servers[0]))
        wait_for("the record", lambda: ANYBODY in greylist(servers[0], "list"))
        (servers[0].directory / "stderr").write_text("")
        with Redis(directory / "other", away):
            redis.kill()
            wait_until_reachable(servers)
            equal(seconds_left(mail(servers[0])), 3600, "seconds left at a store that knows nobody")


if __name__ == "__main__":
    main()
