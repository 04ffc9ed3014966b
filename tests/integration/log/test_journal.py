#!/usr/bin/env python3
"""Priorities for the journal: where standard error leads there each line has one before it, and nowhere else."""

import json
import os
import re
import signal

from common.harness import ROOT, Server, case, equal, main, wait_for

DEBUG, INFO, NOTICE, WARNING, ERR = 7, 6, 5, 4, 3


class Journal:
    """The file of standard error in the place of the journal's stream."""

    def __init__(self, directory, log, is_journal=True, options=""):
        self.path = directory / "stderr"
        self.path.touch()
        status = self.path.stat()
        os.environ["JOURNAL_STREAM"] = f"{status.st_dev}:{status.st_ino + (not is_journal)}"
        self.server = Server(directory, "log_interval = 0\n" + options)
        self.write(log, options)

    def write(self, log, options=""):
        self.server.write_configuration(options="log_interval = 0\n" + options)
        conf = self.server.directory / "gatepost.conf"
        conf.write_text(conf.read_text().replace('log = "log"', f'log = "{log}"'))

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *fault):
        self.server.__exit__(*fault)
        del os.environ["JOURNAL_STREAM"]

    def lines(self):
        """[(priority or None, text)] of the lines that are whole."""
        found = self.path.read_text()
        return [(int(line[1]), line[3:]) if re.match(r"<\d>", line) else (None, line) for line in found[:found.rfind("\n") + 1].splitlines()]

    def events(self):
        """[(priority, event)]"""
        return [(priority, json.loads(text)["event"]) for priority, text in self.lines() if text.startswith("{")]

    def fail_a_reload(self):
        with (self.server.directory / "gatepost.conf").open("a") as conf:
            conf.write("nonsense = 1\n")
        self.server.signal(signal.SIGHUP)
        wait_for("a reload that fails", lambda: any("reload failed" in text for _, text in self.lines()))


@case("in the journal a session is info, a start a notice, and a refused configuration an error")
def journal(directory):
    with Journal(directory, "stderr") as journal_:
        with journal_.server.client() as client:
            client.command("QUIT", 221)
        wait_for("the session", lambda: (INFO, "session") in journal_.events())
        journal_.fail_a_reload()
        wait_for("the event", lambda: "reload_failed" in [event for _, event in journal_.events()])
    found = dict((event, priority) for priority, event in journal_.events())
    equal({name: found[name] for name in ("session", "ready", "reload_failed", "listener_opened", "counters", "stopped")},
          {"session": INFO, "ready": NOTICE, "reload_failed": ERR, "listener_opened": NOTICE, "counters": INFO, "stopped": NOTICE})
    told = {text: priority for priority, text in journal_.lines() if not text.startswith("{")}
    equal(told["gatepost: ready"], INFO, "of what it tells beside")
    equal(told["gatepost: reload failed, nothing has changed"], ERR)
    equal([priority for text, priority in told.items() if "nonsense" in text], [ERR], "of the complaint")
    assert None not in told.values() and None not in [priority for priority, _ in journal_.events()], told


@case("pseudonyms and priorities go together")
def together(directory):
    (directory / "log.keys").write_text("2026-11-01:" + 64 * "a" + "\n")
    (directory / "log.keys").chmod(0o600)
    with Journal(directory, "stderr", options='log_addresses = pseudonym\nlog_pseudonym_key_file = "log.keys"\n') as journal_:
        with journal_.server.client() as client:
            client.command("QUIT", 221)
        wait_for("the session", lambda: (INFO, "session") in journal_.events())
        text = journal_.path.read_text()
        assert re.search(r'^<6>\{"time":"[^"]+","event":"session","client":"~a20261101~\w{26}"', text, re.M), text


@case("a file, and a standard error that does not lead to the journal any more, have no priorities")
def elsewhere(directory):
    for name, log, is_journal in (("file", "log", True), ("other", "stderr", False)):
        (directory / name).mkdir()
        with Journal(directory / name, log, is_journal) as journal_:
            with journal_.server.client() as client:
                client.command("QUIT", 221)
            path = directory / name / log
            wait_for("the session", lambda: b'\n{"time"' in path.read_bytes() and b'"session"' in path.read_bytes())
            equal([line for line in path.read_text().splitlines() if line.startswith("<")], [], f"lines with a priority in {log}")


@case("the tables of events and fields have all that the log has, and it is documented")
def tables(directory):
    page = (ROOT / "conf/README.md").read_text().partition("\n## The log\n")[2].partition("\n## Counters\n")[0]
    events = re.findall(r"^LOG_EVENT\((\w+), \w+\)", (ROOT / "workers/log/events.def").read_text(), re.M)
    told = {name for cell in re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", page.partition("### Other events")[2], re.M) for name in re.findall(r"`(\w+)`", cell)}
    equal(set(events), (told & set(events)) | {"session"}, "events that are documented")
    equal(told - set(events) - {"session"}, set(), "documented, but not in the table")
    fields = re.findall(r"^LOG_FIELD\(\w+, (\w+), \w+\)", (ROOT / "workers/log/fields.def").read_text(), re.M)
    equal([name for name in fields if f"`{name}`" not in page], [], "fields that are not documented")
    records = "".join((ROOT / f"core/smtp/record/{name}.c").read_text() for name in ("faults", "record", "transaction"))
    used = set(re.findall(r'put_(?:key|kind|number|string|code|address)\((?:[^"();]|\n)*"(\w+)"', records)) - {"true"}
    assert len(used) > 40 and used <= set(fields), used - set(fields)
    cells = re.findall(r"^\| `\w+`[^|]*\| ([^|]*) \|", page.partition("### Other events")[2].partition("### ")[0], re.M)
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 30 and named <= set(fields), named - set(fields)


if __name__ == "__main__":
    main()
