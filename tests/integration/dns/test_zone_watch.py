#!/usr/bin/env python3
"""The watch over DNS lists: test points (RFC 5782 5), a list that lists everybody of a sudden; what is suspended observes."""

import time

from common.dns_peers import A, ScriptedDns, address, framed
from common.dns_world import client_from, dns_server, envelope, expect_reply, verdicts
from common.harness import PATIENCE, case, equal, main, wait_for

LISTED, SILENT = "2.0.0.127", "1.0.0.127"
OFF = ("rhsbl", "sender_mx", "spf")


class Lists:
    """A DNS server of lists: for each zone a function of the reversed address, or of the name, that tells whether it lists it."""

    def __init__(self, **zones):
        self.zones = zones
        self.server = ScriptedDns(self.behave)

    def behave(self, query, is_tcp, send):
        subject, _, zone = query.name.removesuffix(".example").rpartition(".")
        found = zone in self.zones and query.type == A and self.zones[zone](subject)
        if found is None:
            octets = query.failure()
        else:
            octets = query.answer(address("127.0.0.2"), ttl=1) if found else query.negative(ttl=1)
        send(framed(octets) if is_tcp else octets)

    def __enter__(self):
        return self

    def __exit__(self, *ignored):
        self.server.stop()


def sound(*clients):
    """Has its test points, and these reversed addresses."""
    return lambda subject: subject == LISTED or subject in clients


def lists_all(subject):
    """Sound, and lists everybody else."""
    return subject != SILENT


def dnsbl(*zones, more=""):
    return "dnsbl { self_test_interval = 5s\n" + "".join(f'    zone "{zone}.example" {{ {more} }}\n' for zone in zones) + "}\n"


def events(server, zone):
    return [line["event"] for line in server.log() if line["event"] in ("zone_suspended", "zone_released")
            and line["zone"] == f"{zone}.example"]


def reason(server, zone):
    return [line["reason"] for line in server.log() if line["event"] == "zone_suspended" and line["zone"] == f"{zone}.example"][-1]


def many(server, first, count):
    """That many clients, each with an address of its own; returns the codes that RCPT got."""
    codes = set()
    for number in range(first, first + count):
        codes.add(envelope(server, ip=f"198.51.{number // 250}.{number % 250 + 1}")[0])
    return codes


@case("a list without its test point, and one that lists the wrong one, observe until they are well; a sound one counts")
def self_test(directory):
    with Lists(sound=sound("66.2.0.192"), silent=lambda subject: subject == "67.2.0.192", wild=lambda subject: True) as lists, \
            dns_server(directory, [lists.server.port], dnsbl("sound", "silent", "wild"), off=OFF) as server:
        for zone, why in (("silent", "does not list the test point"), ("wild", "lists the test point that must not be")):
            wait_for(f"{zone} is suspended", lambda zone=zone: events(server, zone))
            assert why in reason(server, zone), reason(server, zone)
        assert "zone_suspended: wild.example" in server.stderr(), server.stderr()
        expect_reply(server, 554, "is listed by sound.example", ip="192.0.2.66")
        evidence = verdicts(server, 1)["dnsbl"][2]
        assert "sound.example 127.0.0.2" in evidence and "wild.example 127.0.0.2 suspended" in evidence, evidence
        # What the suspended ones would have done is told, not done.
        expect_reply(server, 250, ip="192.0.2.67")
        result, mode, evidence = verdicts(server, 2)["dnsbl"]
        equal((result, mode), ("refuse", "observe"), "verdict")
        assert "silent.example 127.0.0.2 suspended" in evidence, evidence
        server.reload()
        expect_reply(server, 250, ip="192.0.2.67")  # still
        lists.zones["silent"] = sound("67.2.0.192")
        lists.zones["wild"] = sound()
        for zone in ("silent", "wild"):
            wait_for(f"{zone} is released", lambda zone=zone: events(server, zone)[-1] == "zone_released")
        wait_for("its listings count", lambda: envelope(server, ip="192.0.2.67")[0] == 554)
        equal(events(server, "sound"), [], "events of the sound list")


@case("a failure of DNS says nothing of a list; self_test = no asks nothing, and so does a check that is off")
def no_verdict(directory):
    zones = """dnsbl { self_test_interval = 1s
    zone "failing.example" {}
    zone "wild.example" { self_test = no }
    zone "names.example" { names = yes }
}
"""
    with Lists(failing=lambda subject: None, wild=lambda subject: True, names=lambda subject: True) as lists, \
            dns_server(directory, [lists.server.port], zones, off=OFF) as server:
        # Three attempts for each test.
        wait_for("the third test", lambda: lists.server.queries.count((f"{LISTED}.failing.example", A)) > 6)
        equal({name.split(".")[-2] for name, _ in lists.server.queries}, {"failing"}, "zones asked")
        for zone in ("failing", "wild", "names"):
            equal(events(server, zone), [], f"events of {zone}")
        expect_reply(server, 554, "is listed by wild.example", ip="192.0.2.66")


@case("a list that lists everybody of a sudden is suspended with an alarm, through reloads, and released when it is well")
def sudden(directory):
    with Lists(bl=sound()) as lists, dns_server(directory, [lists.server.port], dnsbl("bl"), off=OFF) as server:
        equal(many(server, 0, 120), {250}, "codes while it is well")
        wait_for("the share of those clients", lambda: len(server.sessions()) >= 120)
        time_to_look()
        lists.zones["bl"] = lists_all
        # A look may have begun to count before, and the next one comes a second later.
        wait_for("an alarm", lambda: many(server, 200, 120) and events(server, "bl"))
        assert "lists nearly every client of a sudden" in reason(server, "bl"), reason(server, "bl")
        expect_reply(server, 250, ip="203.0.113.5")
        # Its line need not be the last one: other workers may tell of sessions that were before it.
        session = wait_for("its session", lambda: [line for line in server.sessions() if line["client"] == "203.0.113.5"])[0]
        verdicts_of_it = session["transactions"][0]["verdicts"]
        equal([verdict["mode"] for verdict in verdicts_of_it if verdict["check"] == "dnsbl"], ["observe"], "mode")
        server.reload()
        equal(many(server, 1200, 120), {250}, "codes while it is suspended")
        equal(events(server, "bl"), ["zone_suspended"], "events")
        lists.zones["bl"] = sound("5.113.0.203")
        wait_for("the release", lambda: events(server, "bl") == ["zone_suspended", "zone_released"])
        wait_for("its listings count", lambda: envelope(server, ip="203.0.113.5")[0] == 554)


def time_to_look():
    """The watch looks each second; there is nothing to see from outside that it has."""
    time.sleep(3 * PATIENCE)


@case("a list that lists all of many clients, but not everybody, counts: they cannot switch it off")
def flood(directory):
    with Lists(bl=sound()) as lists, dns_server(directory, [lists.server.port], dnsbl("bl"), off=OFF) as server:
        equal(many(server, 0, 120), {250}, "codes of honest clients")
        wait_for("the share of those clients", lambda: len(server.sessions()) >= 120)
        time_to_look()
        lists.zones["bl"] = lambda subject: subject == LISTED or subject.endswith(".51.198")
        asked = len(lists.server.queries)
        wait_for("a closer look", lambda: many(server, 200, 120) and any(
            not name.endswith((".51.198.bl.example", ".127.bl.example")) for name, _ in lists.server.queries[asked:]))
        for _ in range(5):
            many(server, 200, 120)
        equal(many(server, 200, 120), {554}, "codes of a flood from listed clients")
        equal(events(server, "bl"), [], "events")


@case("a list that has always listed most clients counts")
def always(directory):
    with Lists(bl=lists_all) as lists, dns_server(directory, [lists.server.port], dnsbl("bl"), off=OFF) as server:
        equal(many(server, 0, 120), {554}, "codes")
        time_to_look()
        equal(many(server, 200, 240), {554}, "codes later")
        time_to_look()
        equal(events(server, "bl"), [], "events")


if __name__ == "__main__":
    main()
