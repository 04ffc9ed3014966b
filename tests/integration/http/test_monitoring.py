#!/usr/bin/env python3
"""What is ready made for Prometheus and Grafana: it is well formed, and the names that it uses are those of /metrics."""

import json
import re

from common.dns_peers import ScriptedDns, by_table
from common.harness import ROOT, case, equal, free_port, main
from common.promtool import promtool
from common.tls import tls_options
from common.web import wait_for_status, web_server

ALERTS = ROOT / "conf/monitoring/alerts.yml"
DASHBOARD = ROOT / "conf/monitoring/grafana-dashboard.json"
# What PromQL has for a label, and a name before it: instance is Prometheus' own.
LABELS = {"instance", "job", "le"}


def all_metrics(directory):
    """What a server says that has all there is."""
    (directory / "list").write_text("127.0.0.2\n")
    next_hop = f"lmtp://127.0.0.1:{free_port()}"
    options = f'''policy_service "dead" {{ connect = "inet:127.0.0.1:{free_port()}" on_failure = pass }}
dnsbl {{ zone "bl.example" {{ file = {{"list"}} }} }}
domain "else.example" {{ recipients = "socketmap:inet:127.0.0.1:{free_port()}:virtual" deliver = "discard:" }}
''' + tls_options(directory)
    with ScriptedDns(by_table({})) as dns, web_server(directory, f'resolvers = {{"127.0.0.1:{dns.port}"}}\n{options}', deliver=next_hop) as server:
        with server.client() as client:  # a next hop is seen when it has been asked
            for command, code in ("EHLO client.example.com", 250), ("MAIL FROM:<>", 250), ("RCPT TO:<postmaster@isp.example>", 250), ("DATA", 451):
                client.command(command, code)
        return wait_for_status(server.web, "/metrics", 200).text()


def series(directory):
    """({names}, {labels}) of it."""
    lines = [line for line in all_metrics(directory).splitlines() if not line.startswith("#")]
    return {re.match(r"\w+", line)[0] for line in lines}, {label for line in lines for label in re.findall(r'(\w+)="', line)}


@case("promtool finds nothing to mend in /metrics")
def linted(directory):
    equal(promtool("check", "metrics", text=all_metrics(directory)), "", "promtool check metrics")


def names_in(expressions):
    return {name for expression in expressions for name in re.findall(r"\bgatepost_\w+", expression)}


def labels_in(text):
    by = [label for group in re.findall(r"\b(?:by|without) \(([^)]*)\)", text) for label in re.split(r",\s*", group)]
    return set(by) | set(re.findall(r"\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}", text)) | set(re.findall(r"[{,](\w+)=~?\"", text))


@case("promtool takes the rules, and Grafana's dashboard is JSON with panels that do not overlap")
def well_formed(directory):
    equal(promtool("check", "rules", str(ALERTS)), "", "promtool check rules")
    dashboard = json.loads(DASHBOARD.read_text())
    taken = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24, panel["title"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken, f"{panel['title']} overlaps"
        taken |= cells
    equal(len({panel["id"] for panel in dashboard["panels"]}), len(dashboard["panels"]), "ids")


@case("every name and every label in rules and dashboard is one of /metrics")
def names(directory):
    known, labels = series(directory)
    dashboard = json.loads(DASHBOARD.read_text())
    targets = [target for panel in dashboard["panels"] for target in panel["targets"]]
    queries = [target["expr"] for target in targets] + [each["expr"] for each in dashboard["annotations"]["list"]]
    queries += [each["query"] for each in dashboard["templating"]["list"]]
    rules = re.findall(r"^ +expr: (.*)$", ALERTS.read_text(), re.M)
    assert len(rules) > 10 and len(queries) > 20, (len(rules), len(queries))
    for what, expressions in (("alerts", rules), ("dashboard", queries)):
        unknown = names_in(expressions) - known
        assert not unknown, f"{what}: {unknown}"
    used = labels_in(ALERTS.read_text()) | {label for query in queries for label in labels_in(query)}
    used |= {label for target in targets for label in labels_in(target["legendFormat"])}
    unknown = used - labels - LABELS - {"value"}
    assert not unknown, f"labels: {unknown}"
    assert '{"verdict"' not in str(queries), "quotes"


if __name__ == "__main__":
    main()
