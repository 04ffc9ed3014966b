#!/usr/bin/env python3
"""Another configuration judges beside the one in force: what it would have answered is told, and nothing else changes."""

import contextlib
import json
import pathlib
import re
import signal
import threading
import time

from common.control import OPTIONS, Control, command
from common.dns_peers import ScriptedDns, by_table, A, MX, address, exchange
from common.harness import SECONDS, Server, case, equal, main, run_program, wait_for
from common.upgrade import Upgradable
from common.web import get, page, row, text_of

BASE = OPTIONS + """log_interval = 0
spf { mode = off } dmarc { mode = off } rhsbl { mode = off } dynamic_client { mode = off } bounce_reference { mode = off }
greylist { mode = off } client_rate { mode = off }
"""
OLD = 'dnsbl { threshold = 1 zone "one.example.com" { answers = {"127.0.0.2"} self_test = no } }'
NEW = 'dnsbl { threshold = 1 zone "two.example.com" { answers = {"127.0.0.2"} self_test = no } }'
TABLE = {("client.example.com", A): [address("192.0.2.7")],
         ("good.example.com", MX): [exchange("mail.good.example.com")],
         ("mail.good.example.com", A): [address("192.0.2.7")],
         ("66.0.0.127.one.example.com", A): [address("127.0.0.2")],
         ("67.0.0.127.two.example.com", A): [address("127.0.0.2")]}


def options(dns, lists):
    return f'resolvers = {{"127.0.0.1:{dns.port}"}}\n' + BASE + lists


def server_of(directory, dns, more=""):
    return Server(directory, options(dns, OLD) + more)


def write_new(server, lists=NEW, more=""):
    path = server.directory / "new.conf"
    text = (server.directory / "gatepost.conf").read_text()
    path.write_text(text.replace(OLD, lists + more))
    return path


def shadow(server, verb, *arguments, path=None, status=0):
    run = run_program("shadow", verb, "-c", str(path or server.directory / "gatepost.conf"), *arguments, seconds=SECONDS)
    equal(run.returncode, status, f"status of {verb} ({run.stderr})")
    return run


def start(server, lists=NEW, more="", share="100%"):
    shadow(server, "start", "--share", share, path=write_new(server, lists, more))


def members(pairs):
    """Of an object, none of which stands twice: who reads it would lose one."""
    names = [name for name, _ in pairs]
    equal(len(names), len(set(names)), f"different names of {names}")
    return dict(pairs)


def figures(server):
    return json.loads(shadow(server, "status", "--json").stdout, object_pairs_hook=members)


def session(server, source):
    """Everything that the server says in one session, as octets."""
    said = []
    with server.client(source=f"127.0.0.{source}") as client:
        for line in ("EHLO client.example.com", "MAIL FROM:<carol@good.example.com>", "RCPT TO:<alice@isp.example>", "QUIT"):
            client.raw(line.encode() + b"\r\n")
            said.append(client.reply())
    return said


def await_compared(server, count):
    try:
        wait_for(f"{count} sessions compared", lambda: figures(server)["judged"] >= count)
    except AssertionError as error:
        raise AssertionError(f"{error}: {figures(server)}") from None
    return figures(server)


@case("what a new list would refuse and an old one does is counted by check, domain and network, with ids, and logged")
def differences(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        start(server)
        equal([session(server, source)[2][0] for source in (1, 66, 67)], [250, 554, 250], "codes")
        told = await_compared(server, 3)
        equal({name: told[name]["count"] for name in ("refuses_more", "refuses_less", "defers_more")},
              {"refuses_more": 1, "refuses_less": 1, "defers_more": 0}, "changes")
        more = told["refuses_more"]
        equal(more["checks"], {"dnsbl": 1}, "checks")
        equal(more["sender_domain"], [{"name": "good.example.com", "count": 1}], "domains")
        equal(more["client_network"], [{"name": "127.0.0.0/24", "count": 1}], "networks")
        assert more["examples"][0].endswith("dnsbl carol@good.example.com alice@isp.example"), more
        assert told["questions"] >= 3 and told["unknown"] == 0, told
        words = shadow(server, "status").stdout
        assert "would have refused more: 1\n" in words and "added questions: " in words, words
        wait_for("both in the log", lambda: len(server.events("shadow_difference")) == 2)
        found = {line["change"]: line for line in server.events("shadow_difference")}
        equal((found["refuses_more"]["was"], found["refuses_more"]["check"], found["refuses_more"]["domain"]),
              ("taken", "dnsbl", "good.example.com"), "line")
        assert found["refuses_less"]["reject_id"] and found["refuses_less"]["would_be"] == "taken", found
        equal(json.loads(shadow(server, "stop", "--json").stdout)["judged"], 3, "judged at the end")
        assert "no shadow" in shadow(server, "status", status=1).stderr
        session(server, 67)
        wait_for("the end in the log", lambda: server.events("shadow_ended"))
        equal(len(server.events("shadow_ended")), 1, "ends")


@case("a list that hangs delays no reply, and a stop does not wait for it")
def hanging_list(directory):
    asked = []
    answer = by_table(TABLE)

    def behave(query, is_tcp, send):
        if query.name.endswith("two.example.com"):
            asked.append(query.name)
        else:
            answer(query, is_tcp, send)

    with ScriptedDns(behave) as dns, server_of(directory, dns) as server:
        session(server, 1)
        start(server)
        begun = time.monotonic()
        for _ in range(5):
            equal(session(server, 1)[2][0], 250, "code")
        took = time.monotonic() - begun
        wait_for("a question is out", lambda: asked)
        # DNS has ten seconds.
        assert took < 8, took
        begun = time.monotonic()
        shadow(server, "stop")
        assert time.monotonic() - begun < 8
        start(server)
        session(server, 1)
        server.stop()


@case("replies are the same octets with a shadow and without")
def same_octets(directory):
    sources = (1, 66, 67, 1, 67, 66)

    def texts(server):
        """Ids are others each time by nature."""
        return [[(code, re.sub(r"\b[0-9A-Z]{12}\b", "ID", text)) for code, text in session(server, source)] for source in sources]

    with ScriptedDns(by_table(TABLE)) as dns:
        with server_of(directory, dns) as server:
            without = texts(server)
            start(server)
            equal(texts(server), without, "transcripts")
            await_compared(server, len(sources))


@case("a promotion is refused beyond the budget and where too little was compared, and else puts it in force")
def promotion(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        start(server)
        for source in (1, 67):
            session(server, source)
        await_compared(server, 2)
        assert "1000 are wanted" in shadow(server, "promote", "--budget", "100%", status=1).stderr
        assert "beyond the budget" in shadow(server, "promote", "--budget", "10%", "--force", status=1).stderr
        equal(session(server, 67)[2][0], 250, "code before")
        path = server.directory / "new.conf"
        text = path.read_text()
        path.write_text(text + 'domain "other.example" { recipients = "recipients.txt" deliver = "discard:" }\n')
        assert "has changed since" in shadow(server, "promote", "--budget", "100%", "--force", status=1).stderr
        path.write_text(text)
        promote(server)
        equal(wait_for("the end in the log", lambda: server.events("shadow_ended"))[-1]["reason"], "promoted", "end")
        shadow(server, "status", status=1)


@case("answers that are unknown are held against the budget, and only whoever insists does without them")
def unknown_answers(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns, "\nerrors_max = 1000000\n") as server:
        path = write_new(server, OLD)
        path.write_text(path.read_text().replace("dmarc { mode = off }", "dmarc { mode = enforce }"))
        shadow(server, "start", "--share", "100%", path=path)
        with server.client(source="127.0.0.1") as client:
            client.deliver(b"Subject: x\r\n\r\nx\r\n", sender="carol@good.example.com", helo="client.example.com")
        await_compared(server, 1)
        while figures(server)["answers"] <= 1000:
            refused(server, 100)
        told = shadow(server, "promote", "--budget", "0", status=1).stderr
        assert re.search(r"of 1\d\d\d answers 0 would have been refused or deferred that were not, and 1 are unknown", told), told
        equal(shadow(server, "promote", "--budget", "0", "--force").returncode, 0, "by force")


def refused(server, count):
    """A session all of whose recipients both lists refuse."""
    before = figures(server)["judged"]
    with server.client(source="127.0.0.66") as client:
        client.command("EHLO client.example.com", 250)
        client.command("MAIL FROM:<carol@good.example.com>", 250)
        for _ in range(count):
            client.command("RCPT TO:<alice@isp.example>", 554)
    await_compared(server, before + 1)


def promote(server):
    told = shadow(server, "promote", "--budget", "100%", "--force").stderr
    assert "gatepost.conf, as before" in told, told
    equal([session(server, source)[2][0] for source in (66, 67)], [250, 554], "codes after")
    return re.search(r"after: cp (\S+) (\S+)\n", told).groups()


@case("of a configuration in another folder a promotion says that a copy of it needs other relative paths")
def promoted_from_elsewhere(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        for folder, is_told in (("next", True), (".", False)):
            path = server.directory / folder / "new.conf"
            path.parent.mkdir(exist_ok=True)
            text = (server.directory / "gatepost.conf").read_text().replace(OLD, NEW)
            path.write_text(text.replace('"recipients.txt"', f'"{server.directory}/recipients.txt"'))
            shadow(server, "start", "--server", str(server.directory / "gatepost.conf"), path=path)
            told = shadow(server, "promote", "--budget", "100%", "--force").stderr
            assert f"cp {path.resolve()} " in told, told
            equal("gatepost.conf with its relative paths changed" in told, is_told, f"hint ({told})")


@case("a reload takes back what was promoted, and says so, unless it was put where promote has said; so does a start")
def promoted_stays(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        start(server)
        promote(server)
        run = command(server, "reload")
        equal(run.returncode, 0, "reload")
        assert "in force no more" in run.stderr, run
        equal([session(server, source)[2][0] for source in (66, 67)], [554, 250], "codes of the server's own file")
        assert "in force no more" not in command(server, "reload").stderr
        start(server)
        new, own = promote(server)
        pathlib.Path(own).write_text(pathlib.Path(new).read_text())
        assert "in force no more" not in command(server, "reload").stderr
        equal([session(server, source)[2][0] for source in (66, 67)], [250, 554], "codes after a reload")
        server.stop()
        server.start()
        equal([session(server, source)[2][0] for source in (66, 67)], [250, 554], "codes after a start")
        shadow(server, "start", path=server.directory / "gatepost.conf")
        session(server, 1)
        equal(shadow(server, "promote", "--budget", "100%", "--force").stderr, "", "of the server's own file nothing is said")


@case("what is wrong with the configuration is told with file and line, and nothing starts")
def wrong(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        path = write_new(server, NEW, "\nno_such_option = 1\n")
        assert "new.conf:" in shadow(server, "start", path=path, status=1).stderr
        shadow(server, "status", status=1)
        for words in (("promote",), ("start", "--share", "0"), ("dance",)):
            equal(run_program("shadow", *words, "-c", str(path)).returncode, 2, f"status of {words}")
        two_orders = server.directory / "new\nshadow_stop"
        two_orders.write_text(path.read_text())
        assert "control character" in shadow(server, "start", path=two_orders, status=2).stderr
        start(server)
        assert "already" in shadow(server, "start", path=write_new(server), status=1).stderr
        with Control(server) as control:
            assert not control.ask("shadow_start 5 relative")[-1]["ok"]


@case("where the store of senders is another it is told, and what only the new one asks of it is unknown")
def other_store(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        path = write_new(server)
        path.write_text(path.read_text().replace("greylist { mode = off }", "greylist { mode = enforce }") + 'sender_store = "lmdb:elsewhere"\n')
        told = shadow(server, "start", "--share", "100%", path=path).stderr
        assert "sender_store is another" in told, told
        equal(session(server, 1)[2][0], 250, "code")
        told = await_compared(server, 1)
        equal((told["unknown"], told["lacking"]), (1, [{"check": "greylist", "zone": "", "sessions": 1}]), "unknown")
        assert not (server.directory / "elsewhere").exists()


@case("where the log has pseudonyms neither its lines nor the status have mailboxes or addresses of clients")
def hidden(directory):
    keys = directory / "log.keys"
    keys.write_text(f"2026-11-01:{'5a' * 32}\n")
    keys.chmod(0o600)
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns, '\nlog_addresses = pseudonym log_pseudonym_key_file = "log.keys"\n') as server:
        start(server)
        session(server, 67)
        told = await_compared(server, 1)["refuses_more"]
        assert re.fullmatch(r"[0-9A-Z]{12} dnsbl", told["examples"][0]), told
        line = wait_for("the line", lambda: server.events("shadow_difference"))[0]
        assert "127.0.0.67" not in json.dumps(line) and line["client"] and line["domain"] == "good.example.com", line


@case("the status page and the metrics tell of it, and of none when there is none")
def page_and_metrics(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns, '\nhttp { listen = "unix:http.sock" }\n') as server:
        server.web = server.directory / "http.sock"
        assert 'id="shadow"' not in page(server).text()
        start(server)
        for source in (1, 66, 67):
            session(server, source)
        await_compared(server, 3)
        shown = page(server).text()
        equal(row(shown[shown.index('id="shadow"'):], "dnsbl"), [1, 1, 0, 0, 0], "row of the check")
        words = text_of(shown)
        assert "new.conf judges 100 percent of the sessions" in words and "Added questions: " in words, words
        assert "good.example.com" in words[words.index("new.conf judges"):], words
        metrics = get(server.web, "/metrics").text()
        for line in ("gatepost_shadow_sessions_total 3", "gatepost_shadow_refuses_more_total 1", "gatepost_shadow_refuses_less_total 1"):
            assert line + "\n" in metrics, line
        shadow(server, "stop")
        assert 'id="shadow"' not in page(server).text()


@case("a hot upgrade ends it, and says so; the next process can have its own")
def upgraded(directory):
    with ScriptedDns(by_table(TABLE)) as dns, Upgradable(directory, options(dns, OLD).replace(OPTIONS, "")) as server:
        start(server)
        run = command(server, "upgrade")
        equal(run.returncode, 0, run.stderr)
        assert "does not go over" in run.stdout + run.stderr, run
        assert "was promoted" not in run.stdout + run.stderr, run
        server.follow()
        shadow(server, "status", status=1)
        start(server)
        session(server, 1)
        await_compared(server, 1)
        promote(server)
        run = command(server, "upgrade")
        assert f"promoted from {server.directory / 'new.conf'}; the new process has read" in run.stdout + run.stderr, run
        server.follow()


@contextlib.contextmanager
def clients(server, sources):
    """They come one after the other meanwhile. Gives the codes of their recipients."""
    is_over = threading.Event()
    found = []

    def run(source):
        while not is_over.is_set():
            found.append(session(server, source)[2][0])

    threads = [threading.Thread(target=run, args=(source,)) for source in sources]
    for thread in threads:
        thread.start()
    try:
        yield found
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def is_overtaken(server):
    """Reloads while a session is open, which is counted. False: tapes of those before were on their way yet, and none was left for it."""
    before = figures(server)
    with server.client(source="127.0.0.1") as client:
        client.command("EHLO client.example.com", 250)
        if figures(server)["dropped"] > before["dropped"]:
            return False
        server.signal(signal.SIGHUP)
        wait_for("the reload", lambda: figures(server)["reloads"] > before["reloads"])
        outdated = figures(server)["outdated"]
        client.command("QUIT", 221)
    wait_for("the session that it has overtaken", lambda: figures(server)["outdated"] > outdated)
    return True


@case("under load and reloads counts begin anew, and all goes on")
def load(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server:
        start(server)
        with clients(server, (1, 1, 67)) as found:
            for _ in range(3):
                equal(command(server, "reload").returncode, 0, "reload")
                wait_for("sessions after it", lambda: figures(server)["judged"] > 0)
            equal(figures(server)["reloads"], 3, "reloads")
        equal(set(found), {250}, "codes")
        wait_for("a session that has a tape, and that a reload has overtaken", lambda: is_overtaken(server))


@case("shadows start, are promoted and stop under load, and no client notices")
def load_of_orders(directory):
    with ScriptedDns(by_table(TABLE)) as dns, server_of(directory, dns) as server, clients(server, (1, 1, 2)) as found:
        for _ in range(4):
            start(server)
            await_compared(server, 1)
            shadow(server, "promote", "--budget", "0", "--force")
            start(server, OLD)
            await_compared(server, 1)
            shadow(server, "stop")
            equal(command(server, "reload").returncode, 0, "reload")
        before = len(found)
        wait_for("more sessions", lambda: len(found) > before + 10)
        equal(set(found), {250}, "codes")


if __name__ == "__main__":
    main()
