#!/usr/bin/env python3
"""/metrics: complete, well formed for tools of others, and equal to what the log says."""

import json
import re
import signal
import subprocess
import time

from common.dns_peers import A, ScriptedDns, by_table
from common.harness import PATIENCE, ROOT, Skip, case, equal, main, wait_for
from common.tls import tls_options
from common.web import get, wait_for_status, web_server

PREFIX = "gatepost_"
DNS_MACROS = (("CACHE_METRIC", "cache_"), ("POOL_METRIC", "pool_"))


def read(server):
    """{(name, frozenset of labels): value}; no series may stand twice."""
    answer = wait_for_status(server.web, "/metrics", 200)
    equal(answer.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8", "type")
    found = {}
    for line in answer.text().splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = re.fullmatch(r'(\w+)(?:\{(.*)\})? (\S+)', line).groups()
        key = (name, frozenset(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', labels or "")))
        assert key not in found, f"twice: {line}"
        found[key] = float(value)
    return found


def value(series, name, **labels):
    return series[PREFIX + name, frozenset(labels.items())]


def rows(path, macro):
    return re.findall(rf"^{macro}\((\w+), (\w+)", (ROOT / path).read_text(), re.M)


def exported(prefix, name, kind):
    return f"{prefix}{name}_total" if kind == "TOTAL" else f"{prefix}{name.removesuffix('_days')}_seconds" if kind == "DAYS" else prefix + name


def at_one_moment(server, changing):
    """What /metrics says, and the counters of the log, between two looks at /metrics that say the same; else None. Some counts come
    behind the end of a session, or with a test of a list."""
    before, dns_counters = read(server), server.dns_counters()
    counters, after = server.events("counters")[-1], read(server)
    tables = {PREFIX + exported("", name, kind) for name, kind in rows("core/smtp/metrics.def", "METRIC") if name not in changing}
    for macro, prefix in DNS_MACROS:
        tables |= {PREFIX + exported(f"dns_{prefix}", name, kind) for name, kind in rows("dns/metrics.def", macro)}
    tables |= {PREFIX + name for name in ("check_verdicts_total", "zone_asked_total")}
    is_same = all(after[key] == number for key, number in before.items() if key[0] in tables)
    return (after, counters, dns_counters) if is_same else None


def refused_mail(server, times=3):
    for number in range(times):
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@example.com>", 250)
            client.command(f"RCPT TO:<nobody{number}@isp.example>", 550)
            client.command("QUIT", 221)


@case("every row of every table is there, once, with the value that the log has")
def complete(directory):
    with ScriptedDns(by_table({("example.com", 15): ()})) as dns, \
            web_server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\ndnsbl {{ zone "zen.spamhaus.org" {{ }} zone "dbl.example" {{ names = yes }} }}\n' +
                       tls_options(directory)) as server:
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
        refused_mail(server)
        wait_for("ended sessions", lambda: value(read(server), "sessions_ended_total") == 4)
        changing = {"memory_held"}
        series, counters, dns_counters = wait_for("a moment in which nothing changes", lambda: at_one_moment(server, changing))
        for name, kind in rows("core/smtp/metrics.def", "METRIC"):
            found = value(series, exported("", name, kind))
            if name not in changing:
                equal(found, counters[name] * (86400 if kind == "DAYS" else 1), name)
        for macro, prefix in DNS_MACROS:
            for name, kind in rows("dns/metrics.def", macro):
                equal(value(series, exported(f"dns_{prefix}", name, kind)), dns_counters[prefix + name], prefix + name)
        checks = {key.partition(".")[0] for key in counters if key.endswith(".refused")}
        for check in checks:
            for verdict in ("refused", "deferred", "observed"):
                equal(value(series, "check_verdicts_total", check=check, verdict=verdict), counters[f"{check}.{verdict}"], f"{check}.{verdict}")
        equal(value(series, "check_verdicts_total", check="recipient", verdict="refused"), 3, "recipient")
        for zone in ("zen.spamhaus.org",):
            equal(value(series, "zone_asked_total", zone=zone, lists="addresses"), counters[f"zone.{zone}.asked"], zone)
        assert value(series, "zone_suspended", zone="dbl.example", lists="names") in (0, 1), "a list of names"
        assert not [key for key in [*counters, *(str(key) for key in series if "suspended" not in key[0])] if "dbl.example" in key], "nobody counts its clients"
        equal(value(series, "check_mode", check="dnsbl", mode="enforce") + value(series, "check_mode", check="dnsbl", mode="off"), 1, "mode")
        equal(value(series, "replies_total", code_class="5xx", code="550"), 3, "550")
        equal(value(series, "replies_total", code_class="2xx", code="221"), 3, "QUIT")
        assert value(series, "replies_total", code_class="2xx", code="250") >= 4 + 3, "EHLO and MAIL"
        assert value(series, "replies_total", code_class="4xx", code="451") == 0, "what has not been said is 0"
        for domain, refused in (("isp.example", 3), ("", 0)):
            for verdict, number in (("accepted", 0), ("deferred", 0), ("refused", refused)):
                equal(value(series, "domain_recipients_total", domain=domain, verdict=verdict), number, f"{domain} {verdict}")


@case("a zone and a domain keep their counters when a reload changes their order and brings new ones before them")
def reordered(directory):
    zones = ('zone "one.example" { answers = {"127.0.0.2"} }\n', 'zone "two.example" { answers = {"127.0.0.2"} }\n',
             'zone "new.example" { answers = {"127.0.0.2"} }\n')
    domains = "".join(f'domain "{name}" {{ recipients = "recipients.txt" deliver = "discard:" }}\n' for name in ("b.example", "a.example"))
    listing = {("9.0.0.127.one.example", A): (bytes([127, 0, 0, 2]),)}
    with ScriptedDns(by_table(listing)) as dns:
        def options(*order):
            return f'resolvers = {{"127.0.0.1:{dns.port}"}}\nsender_mx {{ mode = off }}\ndnsbl {{ threshold = 9\n{"".join(zones[i] for i in order)} }}\n'
        with web_server(directory, options(0, 1) + domains) as server:
            with server.client(source="127.0.0.9") as client:
                client.command("EHLO client.example.com", 250)
                client.command("MAIL FROM:<>", 250)
                client.command("RCPT TO:<alice@a.example>", 250)
                client.command("RCPT TO:<nobody@b.example>", 550)
                client.command("QUIT", 221)
            wait_for("the session's end", lambda: value(read(server), "sessions_ended_total") == 1)
            before = read(server)
            equal([value(before, "zone_listed_total", zone=f"{zone}.example", lists="addresses") for zone in ("one", "two")], [1, 0], "before")
            moved = server.options.replace(options(0, 1), options(2, 1, 0)).replace('domain "b.example"', 'domain "0.example" { deliver = "discard:" recipients = "recipients.txt" }\ndomain "b.example"')
            server.write_configuration(options=moved)
            server.reload()
            after = read(server)
            for (name, labels), number in before.items():
                if name in ("gatepost_zone_asked_total", "gatepost_zone_listed_total", "gatepost_domain_recipients_total"):
                    equal(after[name, labels], number, f"{name} {dict(labels)}")
            for name in ("zone_asked_total", "zone_listed_total"):
                equal(value(after, name, zone="new.example", lists="addresses"), 0, f"{name} of a new zone")
            equal(value(after, "domain_recipients_total", domain="0.example", verdict="refused"), 0, "a new domain")
            equal(server.counters()["zone.one.example.listed"], 1, "in the log")


@case("histograms add up, and are of what they say")
def histograms(directory):
    late = {("slow.example.com", 15): None}
    with ScriptedDns(by_table(late)) as dns, \
            web_server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\ndns_timeout = {PATIENCE}s\nrhsbl {{ mode = off }}\ndnsbl {{ mode = off }}') as server:
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<me@slow.example.com>", 250)
            client.command("RCPT TO:<alice@isp.example>", 451)
            client.command("QUIT", 221)
        with server.client() as client:
            client.command("EHLO client.example.com", 250)
            client.command("MAIL FROM:<>", 250)
            client.command("RCPT TO:<postmaster@isp.example>", 250)
            client.command("DATA", 354)
            client.finish(b"Subject: x\r\n\r\nx\r\n")
        wait_for("the ends of sessions", lambda: value(read(server), "session_duration_seconds_count") == 2)
        series = read(server)
        for name, labels in (("session_duration", {}), ("delivery_duration", {}), ("dns_duration", {}),
                             *(("stage_duration", {"stage": stage}) for stage in ("helo", "mail", "rcpt", "data"))):
            name += "_seconds"
            count = value(series, f"{name}_count", **labels)
            buckets = sorted((float(dict(key[1])["le"].replace("+Inf", "inf")), number) for key, number in series.items()
                             if key[0] == f"{PREFIX}{name}_bucket" and set(labels.items()) <= key[1])
            equal([number for _, number in buckets], sorted(number for _, number in buckets), f"{name}: cumulative")
            equal((buckets[-1][0], buckets[-1][1], len(buckets)), (float("inf"), count, 16), name)
            assert value(series, f"{name}_sum", **labels) >= 0, name
        equal(value(series, "session_duration_seconds_count"), 2, "sessions")
        equal(value(series, "delivery_duration_seconds_count"), 1, "deliveries")
        equal(value(series, "stage_duration_seconds_count", stage="data"), 1, "texts")
        waited = value(series, "stage_duration_seconds_sum", stage="mail") + value(series, "stage_duration_seconds_sum", stage="rcpt")
        assert 0.25 <= waited <= 60, f"a command has waited 300 ms for DNS: {waited}"
        assert value(series, "session_duration_seconds_sum") >= 0.25, "its session too"


# The Debian package is for the system's own Python.
READER = """
import json, sys
from prometheus_client.parser import text_string_to_metric_families
print(json.dumps([(family.name, family.type, family.documentation, [sample.name for sample in family.samples])
                  for family in text_string_to_metric_families(sys.stdin.read())]))
"""


@case("the parser of Prometheus' own client library reads it, and every family has its help and type")
def independent(directory):
    with web_server(directory) as server:
        text = wait_for_status(server.web, "/metrics", 200).text()
    run = subprocess.run(["/usr/bin/python3", "-c", READER], input=text, capture_output=True, text=True, check=False)
    if "No module named" in run.stderr:
        raise Skip("no python3-prometheus-client")
    families = json.loads(run.stdout)
    assert len(families) > 80, len(families)
    for name, kind, told, samples in families:
        assert kind in ("counter", "gauge", "histogram") and told and all(sample.startswith(PREFIX) for sample in samples), name
    equal(sum(len(samples) for *_, samples in families), len([line for line in text.splitlines() if not line.startswith("#")]), "samples")


@case("threads, certificates, the configuration and its reloads are told")
def state(directory):
    options = "workers = 2\nacceptors = 1\nconnections_max = 50\n" + tls_options(directory)
    with web_server(directory, options) as server:
        with server.client(), server.client():
            series = wait_for("two connections", lambda: (found := read(server)) and sum(
                value(found, "worker_connections", worker=str(number)) for number in range(2)) == 2 and found)
            equal(value(series, "acceptor_connections_total", acceptor="0"), 2, "of the acceptor")
        equal((value(series, "ready"), value(series, "healthy"), value(series, "configuration_generation")), (1, 1, 1), "state")
        equal(value(series, "connections_max"), 50, "connections at a time")
        assert [key for key in series if key[0] == "gatepost_certificate_not_after_timestamp_seconds"], "certificates"
        server.write_configuration(options=server.options + "\nnonsense = 1")
        server.ask(signal.SIGHUP, "reload_failed")
        failed = read(server)
        equal((value(failed, "last_reload_successful"), value(failed, "configuration_generation")), (0, 1), "a failure")
        server.write_configuration(options=server.options.replace("connections_max = 50", "connections_max = 60"))
        server.reload()
        series = read(server)
        equal(value(series, "connections_max"), 60, "connections after the reload")
        equal((value(series, "last_reload_successful"), value(series, "configuration_generation"),
               value(series, "reloads_total", outcome="failed"), value(series, "reloads_total", outcome="succeeded")), (1, 2, 1, 1), "a success")
        assert abs(value(series, "last_reload_timestamp_seconds") - time.time()) < 60, "time"
        digests = [dict(key[1])["digest"] for key in series if key[0] == "gatepost_configuration_info"]
        assert len(digests) == 1 and re.fullmatch("[0-9a-f]{12}", digests[0]), digests
        version = [dict(key[1])["version"] for key in series if key[0] == "gatepost_build_info"]
        equal(version, [re.search(r"version: '([\d.]+)'", (ROOT / "meson.build").read_text())[1]], "version")
        equal(get(server.web, "/metrics", "HEAD").body, b"", "HEAD")


if __name__ == "__main__":
    main()
