#!/usr/bin/env python3
"""Lists of DNS zones from files: what a client hears, and what becomes of files that change, shrink, break, get old and return."""

import re
import threading
import time

from common.dns_peers import ScriptedDns, address, by_table
from common.feeds import endless, entries, is_open, is_refused, options, reply, write
from common.harness import HELO, Server, case, equal, main, run_program, wait_for


@case("a listed client is refused with the list's reason, without any resolver; a change counts without SIGHUP")
def changes(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options()) as server:
        assert is_refused(server), "listed"
        assert not is_refused(server, "127.0.0.67"), "not listed"
        session = wait_for("the session", lambda: [line for line in server.sessions() if line["client"] == "127.0.0.66"])[0]
        evidence = [verdict["evidence"] for transaction in session["transactions"] for verdict in transaction["verdicts"]]
        equal(evidence[0], "bl.example 127.0.0.2 (see http://bl.example/127.0.0.66)", "evidence")
        write(directory, entries("127.0.0.67", "127.0.0.68"))
        wait_for("the change", lambda: len(server.events("feed_loaded")) == 2)
        assert not is_refused(server) and is_refused(server, "127.0.0.67")
        write(directory, entries())
        wait_for("the failure", lambda: server.events("feed_failed"))
        assert "shrunk from 3 entries to 1" in server.events("feed_failed")[0]["reason"], server.events("feed_failed")


@case("a list that shrinks by more than half or breaks is not taken, and one that is mended is")
def breaks(directory):
    many = entries("127.0.0.66", *(f"192.0.2.{number}" for number in range(100)))
    write(directory, many)
    with Server(directory, options=options()) as server:
        write(directory, entries("127.0.0.67"))
        wait_for("the first failure", lambda: len(server.events("feed_failed")) == 1)
        assert "shrunk from 102 entries to 2" in server.events("feed_failed")[0]["reason"], server.events("feed_failed")
        assert is_refused(server), "the list before"
        write(directory, many + "nonsense\n" * 3)
        wait_for("the second failure", lambda: len(server.events("feed_failed")) == 2)
        reason = server.events("feed_failed")[1]["reason"]
        assert "lists/bl:104: not an IPv4 address or range" in reason and "3 of 105 lines" in reason, reason
        assert is_refused(server), "the list before"
        (directory / "lists/bl").unlink()
        wait_for("the third failure", lambda: len(server.events("feed_failed")) == 3)
        assert is_refused(server), "the list before"
        write(directory, many.replace("127.0.0.66", "127.0.0.67"))
        wait_for("the mended list", lambda: len(server.events("feed_loaded")) == 2)
        assert is_refused(server, "127.0.0.67") and not is_refused(server)


@case("a list that is too old is not asked: nobody is refused, or with on_failure = defer all are deferred, until it returns")
def ages(directory):
    write(directory, entries("127.0.0.66"), age_s=600)
    check = "feed_interval = 1s on_failure = defer"
    with Server(directory, options=options("max_age = 1h", check=check)) as server:
        assert is_refused(server)
        server.write_configuration(options=options("max_age = 1m", check=check))
        server.reload()
        wait_for("its end", lambda: server.events("feed_expired"))
        assert reply(server, "127.0.0.66").startswith("451"), "unsure"
        write(directory, entries("127.0.0.66"))
        wait_for("its return", lambda: len(server.events("feed_loaded")) == 2)
        assert is_refused(server)


@case("fallback = dns: while there is no list DNS is asked, and never while there is one")
def falls_back(directory):
    table = {(f"{last}.0.0.127.bl.example", 1): (address("127.0.0.2"),) for last in (2, 67)}
    with ScriptedDns(by_table(table)) as dns:
        with Server(directory, options=options("fallback = dns") + f' resolvers = {{"127.0.0.1:{dns.port}"}}') as server:
            assert is_refused(server, "127.0.0.67") and not is_refused(server), "by DNS"
            write(directory, entries("127.0.0.66"))
            wait_for("the list", lambda: server.events("feed_loaded"))
            asked = len(dns.queries)
            assert is_refused(server) and not is_refused(server, "127.0.0.67"), "by the list"
            equal([name for name, _ in dns.queries[asked:] if name.endswith("bl.example")], [], "questions to DNS")


@case("a server starts without its files; SIGHUP takes other files, and a list that both have stays")
def reloads(directory):
    with Server(directory, options=options(check="feed_interval = 0ms")) as server:
        assert "no such file" in server.stderr() and not is_refused(server)
        write(directory, entries("127.0.0.66"))
        time.sleep(2.5)
        assert not is_refused(server), "nobody looks"
        server.reload()
        wait_for("the list", lambda: is_refused(server))
        write(directory, entries("127.0.0.70"), name="other")
        server.write_configuration(options=options(check="feed_interval = 0ms").replace("lists/bl*", "lists/other"))
        server.reload()
        assert is_refused(server, "127.0.0.70") and not is_refused(server)


@case("refuse_listed_at = accept: a listed client hears 554 with the list's reason and an id instead of a banner, and the end")
def at_accept(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options() + " refuse_listed_at = accept") as server:
        with server.client(source="127.0.0.66", banner=None) as client:
            code, banner = client.reply()
            assert client.is_closed(), "the connection is open"
        equal(code, 554, "code")
        refused = wait_for("the event", lambda: server.events("client_refused"))[0]
        assert re.fullmatch(rf"5\.7\.1 client \[127\.0\.0\.66\] is listed by bl\.example.*\[{refused['reject_id']}\]", banner), (banner, refused)
        equal((refused["check"], refused["evidence"]), ("dnsbl", "bl.example 127.0.0.2 (see http://bl.example/127.0.0.66)"), "check and evidence")
        told = run_program("explain", "-c", directory / "gatepost.conf", refused["reject_id"]).stdout
        assert "bl.example 127.0.0.2 (see http://bl.example/127.0.0.66)" in told and "refuse_listed_at = accept" in told, told
        assert not is_refused(server, "127.0.0.67")
        write(directory, entries("127.0.0.67"))
        wait_for("the change", lambda: len(server.events("feed_loaded")) == 2)
        assert not is_refused(server, "127.0.0.66"), "no longer listed"


@case("refuse_listed_at = accept: where one domain only observes, or the client is trusted, it hears the banner")
def at_accept_observed(directory):
    write(directory, entries("127.0.0.66"))
    more = " refuse_listed_at = accept "
    domain = 'domain "other.example" { recipients = "recipients.txt" deliver = "maildir:mail/%d/%u" dnsbl { mode = MODE } }'
    with Server(directory, options=options() + more + domain.replace("MODE", "observe")) as server:
        assert is_refused(server), "at RCPT"
        with server.client(source="127.0.0.66") as client:
            client.envelope(recipients=["alice@other.example"])
        equal(server.events("client_refused"), [], "refused at accept")
        server.write_configuration(options=options() + more + domain.replace("MODE", "enforce"))
        server.reload()
        with server.client(source="127.0.0.66", banner=554):
            pass
        server.write_configuration(options=options() + more + domain.replace("MODE", "enforce") + ' trusted_networks = {"127.0.0.66"}')
        server.reload()
        with server.client(source="127.0.0.66") as client:
            client.command("QUIT", 221)


@case("lists are swapped under load: every client hears what one of the lists says")
def under_load(directory):
    lists = [entries("127.0.0.66", *(f"10.{part}.{number}.1" for number in range(250))) for part in (1, 2)]
    write(directory, lists[0])
    with Server(directory, options=options()) as server:
        failures = []

        def ask(source, expected):
            until = time.monotonic() + 8
            while time.monotonic() < until:
                if is_refused(server, source) != expected:
                    failures.append(source)

        threads = [threading.Thread(target=ask, args=arguments) for arguments in (("127.0.0.66", True), ("127.0.0.67", False))]
        for thread in threads:
            thread.start()
        for swap in range(4):
            write(directory, lists[(swap + 1) % 2])
            wait_for("the swap", lambda: len(server.events("feed_loaded")) == swap + 2)
        for thread in threads:
            thread.join()
        equal(failures, [], "clients that heard the wrong thing")


@case("a stop does not wait for a list that is read, however long that is")
def stops_meanwhile(directory):
    write(directory, entries("127.0.0.66"))
    with Server(directory, options=options()) as server:
        endless(directory)
        wait_for("the reading", lambda: is_open(server, directory / "lists/bl"))
        assert is_refused(server), "by the list before, meanwhile"
        server.stop()  # with the status 0, which one that leaves its thread does not have
        equal(server.events("feed_failed"), [], "failures")


@case("check-config tells what is wrong with the files, with file and line; explain asks them")
def commands(directory):
    write(directory, "127.0.0.66\nnonsense\n")
    Server(directory, options=options())
    path = directory / "gatepost.conf"
    told = run_program("check-config", "-c", path)
    assert "lists/bl:2: not an IPv4 address or range" in told.stderr and "0 errors, 1 warning" in told.stdout, told
    write(directory, "127.0.0.66 :2:why\n")
    told = run_program("check-config", "-c", path)
    assert "no entry for 127.0.0.2" in told.stderr, told
    told = run_program("explain", "-c", path, "--ip", "127.0.0.66", "--helo", HELO, "--from", "me@example.com", "--to", "alice@isp.example")
    assert "bl.example 127.0.0.2 (why)" in told.stdout, told
    assert "  saw 66.0.0.127.bl.example A found, 66.0.0.127.bl.example TXT found\n" in told.stdout, told
    assert "DNS: 66.0.0.127" not in told.stdout, told


if __name__ == "__main__":
    main()
