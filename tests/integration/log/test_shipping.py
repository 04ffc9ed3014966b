#!/usr/bin/env python3
"""The log on its way elsewhere: the sample for vector is well formed, and tables and sample name fields that the log has, in types that
its lines fit into."""

import json
import re
import tomllib

from common.harness import ROOT, Server, case, equal, main, wait_for
from common.tls import tls_options

VECTOR = ROOT / "conf/monitoring/vector.toml"
TABLES = ROOT / "conf/monitoring/clickhouse.sql"
ADDED = {"host"}  # by vector
NUMBERS = ("UInt16", "UInt32", "UInt64")
# What a kind of workers/log/fields.def may be there. A field that is a number in one place may be a word in another, such as `code`.
TYPES = {"TIME": ("DateTime64",), "NUMBER": NUMBERS, "FLAG": ("Bool",), "LIST": ("Array", "Tuple", *NUMBERS), "WORD": ("LowCardinality", "String", *NUMBERS)}


def log_fields():
    """{name: kind}"""
    return dict(re.findall(r"^LOG_FIELD\(any, (\w+), (\w+)\)", (ROOT / "workers/log/fields.def").read_text(), re.M))


def split(text):
    """At the commas that are in no parentheses."""
    parts, depth = [""], 0
    for c in text:
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def columns(text):
    """{name: (type, {inner columns})} of a list of columns."""
    found = {}
    for part in split(text):
        name, kind = re.fullmatch(r"`(\w+)` (.*)", part, re.S).groups()
        inner = re.fullmatch(r"Array\(Tuple\((.*)\)\)", kind, re.S) or re.fullmatch(r"Tuple\((.*)\)", kind, re.S)
        assert (kind.count("(") == kind.count(")")) and name not in found, part
        found[name] = (re.match(r"\w+", kind)[0], columns(inner[1]) if inner else {})
    return found


def tables():
    text = re.sub(r"--.*", "", TABLES.read_text())
    found = {name: (columns(body), rest) for name, body, rest in
             re.findall(r"CREATE TABLE IF NOT EXISTS gatepost\.(\w+)\s*\((.*?)\n\)\n(.*?);", text, re.S)}
    equal(set(found), {"sessions", "events"}, "tables")
    return found


def assert_named(table, fields):
    for name, (kind, inner) in table.items():
        if name in ADDED:
            continue
        assert name in fields, f"the log has no field {name}"
        assert kind in TYPES.get(fields[name], ("String",)), f"{name} is {fields[name]}, and no {kind}"
        assert_named(inner, fields)


@case("each column of the tables is a field of the log, in a type that suits it; keys and expiry are about columns")
def named(directory):
    fields = log_fields()
    assert len(fields) > 80, len(fields)
    for table, rest in tables().values():
        assert_named(table, fields)
        used = set(re.findall(r"`(\w+)`", rest)) | set(re.findall(r"\((\w+)\)", rest))
        assert used and used <= set(table), (used, rest)


def assert_fits(value, kind, inner, where):
    if kind == "Array":
        for item in value:
            assert_fits(item, "Tuple", inner, where)
    elif kind == "Tuple":
        assert_line(value, inner, where)
    else:
        wanted = int if kind in NUMBERS else bool if kind == "Bool" else str
        assert isinstance(value, wanted) and (wanted is not int or not isinstance(value, bool)), f"{where} is {value!r}, for {kind}"
        assert not kind.startswith("UInt") or value < 1 << int(kind[4:]), f"{where} is {value}, too much for {kind}"


def assert_line(line, table, where):
    for name, value in line.items():
        assert name in table, f"{where} has no column {name}"
        assert_fits(value, *table[name], f"{where}.{name}")


@case("each field of a session's line has a column, and its value fits; so it is with pseudonyms")
def fits(directory):
    (directory / "log.keys").write_text("2026-11-01:" + 64 * "a" + "\n")
    (directory / "log.keys").chmod(0o600)
    hidden = 'log_pseudonym_key_file = "log.keys"\nlog_addresses = pseudonym\nlog_prefix4 = 24\n'
    table = tables()["sessions"][0]
    server = Server(directory, tls_options(directory) + 'trusted_networks = {"127.0.0.9"}\nreject_at = first\n')
    with server:
        for source in ("127.0.0.1", "127.0.0.9"):
            with server.client(source=source) as client:
                client.deliver(b"Subject: x\r\nMessage-ID: <a@b.example>\r\n\r\nx\r\n")
                for line in ("NONSENSE", "HELO a..b", "MAIL FROM:<a b>", "MAIL FROM:<me@example.com>", "RCPT TO:<x@isp.example>", "RCPT TO:<@>"):
                    client.raw(line.encode() + b"\r\n")
                    client.reply()
                client.command("RSET", 250)
                client.command("STARTTLS", 220)
                client.raw(b"nonsense\r\n")
        wait_for("their lines", lambda: len(server.sessions()) >= 2)
        server.write_configuration(options=server.options + hidden)
        server.reload()
        with server.client() as client:
            client.deliver(b"Subject: x\r\n\r\nx\r\n")
            client.command("QUIT", 221)
        wait_for("a line with pseudonyms", lambda: len(server.sessions()) >= 3)
    seen = set()
    for line in server.sessions():
        seen |= set(line) | {key for mail in line["transactions"] for key in mail}
        assert_line(line, table, "sessions")
    assert {"tls", "trusted", "syntax", "message_id", "size", "network", "rcpts"} <= seen, sorted(seen)


@case("the sample for vector is well formed, its parts are connected, and it ships to the tables, with buffers on disk")
def vector(directory):
    sample = tomllib.loads(VECTOR.read_text())
    parts = {**sample["sources"], **sample["transforms"]}
    outputs = set(parts) | {f"{name}.{route}" for name, part in parts.items() for route in (*part.get("route", ()), "_unmatched")}
    for name, part in {**sample["transforms"], **sample["sinks"]}.items():
        assert set(part["inputs"]) <= outputs, f"{name} reads {part['inputs']}"
    sinks = sample["sinks"]
    equal({sink["table"] for sink in sinks.values() if sink["type"] == "clickhouse"}, set(tables()), "tables")
    equal({sink["type"] for sink in sinks.values()}, {"clickhouse", "kafka"}, "sinks")
    for name, sink in sinks.items():
        assert sink["buffer"]["type"] == "disk" and sink["buffer"]["max_size"] >= 268435488 and sink["acknowledgements"]["enabled"], name
    used = {name for part in sample["transforms"].values() for text in (part.get("source", ""), *part.get("route", {}).values())
            for name in re.findall(r"(?<![\w)])\.(\w+)", text)} | {sinks["kafka"]["key_field"]}
    assert used - ADDED - {"message"} <= set(log_fields()), used
    log = re.search(r'^log = "(.*)/[^/]*"$', (ROOT / "conf/production.conf").read_text(), re.M)[1]
    equal(sample["sources"]["gatepost_log"]["include"], [f"{log}/*.json"], "the log that is read")


if __name__ == "__main__":
    main()
