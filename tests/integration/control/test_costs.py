#!/usr/bin/env python3
"""`gatepost checks --cost`, the order `costs`, the status page and the metrics agree on what checks cost and are good for."""

import json
import re

from common.control import OPTIONS, Control, command
from common.dns_peers import DnsStub
from common.harness import Server, case, equal, main, wait_for
from common.web import get, row, web_server

ZONE = """
2.0.0.127.zen.example 60 A 127.0.0.2
9.0.0.127.zen.example 60 A 127.0.0.2
spf.example.com 60 TXT "v=spf1 -all"
"""
CHECKS = 'dnsbl { zone "zen.example" {} }\nrhsbl { mode = off }\nsender_mx { mode = observe }\n'


def refused(server, times):
    for _ in range(times):
        with server.client(source="127.0.0.9") as client:
            client.envelope(recipients=[], sender="joe@spf.example.com")
            client.command("RCPT TO:<alice@isp.example>", 554)
            client.command("QUIT", 221)


@case("a refusal counts for each check that is against, and what is counted is told everywhere alike")
def costs(directory):
    (directory / "zone").write_text(ZONE)
    stub = DnsStub(directory / "zone")
    # Each worker measures every second one of its own sessions.
    options = f'{OPTIONS}workers = 1\nresolvers = {{"127.0.0.1:{stub.port}"}}\nmeasure_every = 2\n{CHECKS}'
    with stub, web_server(directory, options) as server, Control(server) as control:
        refused(server, 6)
        wait_for("the sessions", lambda: len(server.sessions()) == 6)
        total, *checks, last = control.ask("costs")
        equal(last, {"ok": True})
        equal(total, {"sessions": 6, "measured": 3, "measure_every": 2}, "totals")
        by_name = {line["check"]: line for line in checks}
        dnsbl, spf, mx = by_name["dnsbl"], by_name["spf"], by_name["sender_mx"]
        equal((dnsbl["refused"], dnsbl["against"], dnsbl["alone"]), (6, 3, 0), "dnsbl")
        equal((spf["refused"], spf["against"], spf["alone"]), (0, 3, 0), "spf")
        equal((mx["mode"], mx["against"]), ("observe", 3), "what only observes")
        equal(dnsbl["together"], {"sender_mx": 3, "spf": 3}, "together")
        assert dnsbl["questions"] >= 6 and dnsbl["busy_ns"] > 0, dnsbl
        equal(by_name["bounce_reference"]["busy_ns"], 0, "what had no text to read")
        equal(server.events("order"), [], "in the log")
        shown = command(server, "checks", "--cost")
        equal(shown.returncode, 0, shown.stderr)
        line = re.search(r"^dnsbl +enforce .*$", shown.stdout, re.M)[0]
        assert "6 sessions, 3 of them measured" in shown.stdout and "spf 100%" in line and "sender_mx 100%" in line, shown.stdout
        lines = [json.loads(line) for line in command(server, "checks", "--cost", "--json").stdout.splitlines()]
        equal(lines[0], total, "as JSON")
        equal([line["check"] for line in lines[1:]], list(by_name), "checks as JSON")
        metrics = get(server.web, "/metrics").text()
        assert 'gatepost_check_against_total{check="dnsbl"} 3\n' in metrics, metrics
        assert 'gatepost_check_against_together_total{check="sender_mx",other="spf"} 3\n' in metrics, metrics
        section = get(server.web).text().partition('id="costs"')[2]
        equal(row(section, "dnsbl")[-2:], [3, 0], "against and alone on the page")
        server.write_configuration(options=server.options.replace("measure_every = 2", "measure_every = 0"))
        server.reload()
        refused(server, 3)
        wait_for("the sessions", lambda: len(server.sessions()) == 9)
        equal(control.ask("costs")[0], {"sessions": 9, "measured": 3, "measure_every": 0}, "none is measured")
        assert "measures none" in command(server, "checks", "--cost").stdout


@case("without --cost no server is asked, and options that make no sense there are told")
def wrong(directory):
    with Server(directory) as server:
        equal(command(server, "checks").returncode, 2, "status")
        run = command(server, "checks", "--cost")
        equal(run.returncode, 1, "status")
        assert "`control`" in run.stderr, run.stderr


if __name__ == "__main__":
    main()
