#!/usr/bin/env python3
"""Options of cache and resolvers: what SIGHUP changes, what needs a restart, and the counters in the log."""

import signal
import time

from common.dns_peers import DnsStub
from common.harness import HELO, Server, case, equal, main, wait_for

ZONE = """example.com. 3600 MX 10 mail.example.com.
mail.example.com. 3600 A 192.0.2.7
"""
# A zone whose test points nobody asks for.
CHECKS = 'dnsbl { mode = off zone "list.example" { self_test = no } } rhsbl { mode = off } spf { mode = off }'


def dns_server(directory):
    (directory / "zone").write_text(ZONE)
    return DnsStub(directory / "zone")


def options(dns, more=""):
    return f'resolvers = {{"127.0.0.1:{dns.port}"}} {CHECKS} {more}'


def reload(server):
    """The counters after it."""
    return server.ask(signal.SIGHUP, "dns")


def ask(server):
    """One session that makes sender_mx ask for MX, A and AAAA."""
    with server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<me@example.com>", 250)
        client.command("RCPT TO:<alice@isp.example>", 250)
        client.command("QUIT", 221)


def settled_counts(server):
    """The counters once no question has a place any more: a thread gives it back after the session has its answer."""
    return wait_for("no question in flight", lambda: (counts := reload(server))["pool_in_flight"] == 0 and counts)


@case("the log tells what cache and resolvers did: after SIGHUP, now and then, at the end")
def counters(directory):
    patient = "dns_attempt_timeout = 5s"  # else a question is asked twice where the machine is slow
    with dns_server(directory) as dns, Server(directory, options=options(dns, patient)) as server:
        ask(server)
        first = settled_counts(server)
        ask(server)
        second = reload(server)
        equal([first[f"pool_{name}"] for name in ("questions", "attempts", "failed", "in_flight", "waiting")], [3, 3, 0, 0, 0],
              "questions that reached the pool")
        equal([first[f"cache_{name}"] for name in ("hits", "stale_hits", "misses", "inserts", "entries")], [0, 0, 3, 3, 3], "cache")
        assert first["cache_octets"] > 0, first
        equal(second["pool_questions"], 3, "questions after a session whose answers are cached")
        assert second["cache_hits"] >= 2 and second["cache_misses"] == 3, second
        server.write_configuration(options=options(dns, "dns_log_interval = 100ms"))
        reload(server)
        before = len(server.events("dns"))
        wait_for("counters by themselves", lambda: len(server.events("dns")) >= before + 2)
        server.write_configuration(options=options(dns, "dns_log_interval = 0s"))
        server.reload()
        server.stop()
        events = [line["event"] for line in server.log()]
        equal(events[events.index("stop"):].count("dns"), 1, "lines of counters at the end")
        equal(events[-2:], ["dns", "stopped"], "last events")


@case("SIGHUP changes the cache's times")
def times(directory):
    with dns_server(directory) as dns, Server(directory, options=options(dns, "dns_ttl_max = 1s")) as server:
        ask(server)
        # An answer that was put in before keeps its end: one second at most.
        wait_for("questions asked anew", lambda: ask(server) or reload(server)["pool_questions"] >= 6)
        server.write_configuration(options=options(dns, "dns_ttl_max = 1h dns_ttl_min = 1h dns_negative_ttl_max = 1h"))
        reload(server)
        wait_for("the end of what has the former times", lambda: ask(server) or is_settled(server))
        equal(server.events("restart_needed"), [], "restarts needed")


def is_settled(server):
    """Whether a session asks nothing, more than a second after the last one that did."""
    before = reload(server)["pool_questions"]
    for _ in range(15):
        ask(server)
        time.sleep(0.1)
    return reload(server)["pool_questions"] == before


@case("SIGHUP says that threads, descriptors and memory of DNS need a restart")
def restart(directory):
    with dns_server(directory) as dns, Server(directory, options=options(dns)) as server:
        server.write_configuration(options=options(dns, "dns_threads = 1 dns_cache_size = 2M dns_in_flight_max = 100"))
        reload(server)
        wait_for("the warnings", lambda: len(server.events("restart_needed")) == 3)
        equal(sorted(line["option"] for line in server.events("restart_needed")),
              ["dns_cache_size", "dns_in_flight_max", "dns_threads"], "options")
        for name in ("dns_cache_size", "dns_in_flight_max", "dns_threads"):
            assert f"a change of {name} takes a restart" in server.stderr(), server.stderr()
        ask(server)


if __name__ == "__main__":
    main()
