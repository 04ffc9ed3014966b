#!/usr/bin/env python3
"""gatepost trace: whose sessions are told, what is told and in which order, and that nothing of it disturbs them."""

import contextlib
import json
import subprocess
import time

from common.control import OPTIONS, Control
from common.harness import PROGRAM, SECONDS, Server, case, die_with_parent, equal, main, run_program, sanitizer_environment, wait_for


@contextlib.contextmanager
def followed(server, order):
    """A connection that follows."""
    with Control(server) as control:
        control.send(f"trace {order}\n".encode())
        equal(control.line(), {"following": True}, order)
        yield control


def until_end(control, clients=None):
    """(what, text) of all lines until the session has ended; `clients` is appended who they are about."""
    lines = []
    while not lines or lines[-1][0] != "end":
        line = control.line()
        if clients is not None:
            clients.append({name: line[name] for name in ("client", "port")})
        lines.append((line.get("what"), line.get("text")))
    return lines


def session(server, sender="me@example.com", recipient="alice@isp.example", text=b"Subject: secret\r\n\r\nsecret\r\n"):
    with server.client() as client:
        client.command("EHLO client.example.com", 250)
        client.command(f"MAIL FROM:<{sender}>", 250)
        client.command(f"RCPT TO:<{recipient}>", 250)
        client.command("DATA", 354)
        client.finish(text)
        client.command("QUIT", 221)


@case("a client's session is told from its beginning, line by line and in order, but never the text; in both accept modes")
def by_client(directory):
    for acceptors in (1, 0):
        place = directory / str(acceptors)
        place.mkdir()
        with Server(place, OPTIONS + f"acceptors = {acceptors}\nworkers = 2\n") as server, followed(server, "ip=127.0.0.0/8") as control:
            session(server)
            told = []
            lines = until_end(control, told)
            equal(lines[0], ("connect", f"127.0.0.1 {server.port}"), "beginning")
            logged = wait_for("its line of the log", server.sessions)[0]
            equal(told, [{"client": logged["client"], "port": logged["port"]}] * len(told), "client of each line, as the log has it")
            equal([text for what, text in lines if what == "command"],
                  ["EHLO client.example.com", "MAIL FROM:<me@example.com>", "RCPT TO:<alice@isp.example>", "DATA", "QUIT"], "commands")
            kinds = [what for what, _ in lines]
            assert ("no_starttls", "no_certificate") in lines, lines
            assert kinds.index("reply") in (1, 3) and lines[-1] == ("end", "quit"), lines
            at = lines.index(("command", "MAIL FROM:<me@example.com>"))
            assert lines[at + 1][0] == "reply" and lines[at + 1][1].startswith("250 "), lines
            assert any(what == "reply" and text.startswith("250 2.0.0 accepted as") for what, text in lines), lines
            assert "secret" not in json.dumps(lines), lines


@case("by sender and by recipient a session is told from MAIL or RCPT on, and nobody else's is")
def by_address(directory):
    with Server(directory, OPTIONS) as server, followed(server, "from=*@Example.COM") as sender, followed(server, "to=@isp.example") as to, \
            followed(server, "from=<>") as null, followed(server, 'from=""') as quoted:
        session(server, sender="you@example.net")
        lines = until_end(to)
        equal(lines[:3], [("helo", "client.example.com"), ("sender", "you@example.net"), ("recipient", "alice@isp.example")], "recipient's")
        session(server)
        lines = until_end(sender)
        equal(lines[:2], [("helo", "client.example.com"), ("sender", "me@example.com")], "sender's")
        assert "you@example.net" not in json.dumps(lines), lines
        session(server, sender="")
        for one in (null, quoted):
            equal(until_end(one)[1], ("sender", ""), "null sender's")


@case("verdicts are told with their evidence, where they are made, also of checks that only observe")
def verdicts(directory):
    with Server(directory, OPTIONS + "sender_tld { mode = observe }\nhelo_impersonation { mode = enforce }\n") as server, \
            followed(server, "ip=127.0.0.1") as control:
        with server.client() as client:
            client.command("EHLO mx1.isp.example", 250)
            client.command("MAIL FROM:<me@example.invalidtld>", 250)
            client.raw(b"RCPT TO:<alice@isp.example>\r\n")
            client.reply()
            client.raw(b"N\x1b[31mOOP\r\n")
            client.reply()
            client.command("QUIT", 221)
        lines = []
        while not lines or lines[-1].get("what") != "end":
            lines.append(control.line())
        found = {line["check"]: line for line in lines if line.get("what") == "verdict"}
        equal((found["helo_impersonation"]["result"], found["helo_impersonation"]["mode"]), ("refuse", "enforce"), "verdict")
        assert "mx1.isp.example" in found["helo_impersonation"]["text"], found
        texts = [line.get("text", "") for line in lines]
        rcpt = texts.index("RCPT TO:<alice@isp.example>")
        at = lines.index(found["helo_impersonation"])
        assert rcpt < at < next(i for i in range(rcpt, len(texts)) if texts[i].startswith("5")), lines
        assert any("\x1b[31m" in text for text in texts), "the line is not told"


@case("gatepost trace shows it for people, and nothing that a terminal would obey")
def shown(directory):
    with Server(directory, OPTIONS) as server:
        command = [PROGRAM, "trace", "-c", directory / "gatepost.conf", "--ip", "127.0.0.1"]
        with (directory / "shown").open("wb") as out:
            trace = subprocess.Popen(command, stdout=out, env=sanitizer_environment(directory), preexec_fn=die_with_parent)
        try:
            def is_shown():
                with server.client() as client:
                    client.raw(b"NO\x1b[31mOP\xff\r\n")
                    client.expect(500)
                    client.command("QUIT", 221)
                return b"end: quit" in (directory / "shown").read_bytes()
            wait_for("a followed session", is_shown)
            octets = (directory / "shown").read_bytes()
            assert b"C: NO?[31mOP" in octets and b"S: 221 " in octets and b"\x1b" not in octets, octets
            server.stop()
            equal(trace.wait(SECONDS), 1, "status when the server ends")
        finally:
            trace.kill()
            trace.wait()


@case("what is wrong with a call is told before any server is asked, with status 2")
def wrong_calls(directory):
    for arguments, told in ((("--ip", "300.1.1.1"), '--ip "300.1.1.1" is neither an address nor a network'),
                            (("--ip", "192.0.2.1/24"), '--ip "192.0.2.1/24" is neither an address nor a network'),
                            (("--from", "a b"), '--from "a b" is no pattern of addresses'),
                            (("--to", "x" * 400), "is no pattern of addresses"),
                            (("--ip", "192.0.2.1", "--rate", "0"), '--rate "0" is no number from 1 to 100000'),
                            (("--ip", "192.0.2.1", "--to", "x"), "one of --ip, --from and --to is needed"),
                            ((), "one of --ip, --from and --to is needed")):
        run = run_program("trace", "-c", str(directory / "none.conf"), *arguments)
        equal(run.returncode, 2, run.stderr)
        assert told in run.stderr and "none.conf" not in run.stderr, run.stderr
    for sender in ("<>", "", '""'):
        run = run_program("trace", "-c", str(directory / "none.conf"), "--from", sender)
        equal(run.returncode, 1, run.stderr)
    for order in ("status", "reload", "drain"):
        for arguments in ((), ("-c",), ("-c", "x", "y"), ("-c", "x", "--none")):
            equal(run_program(order, *arguments).returncode, 2, f"{order} {arguments}")


@case("more than the rate is left out and counted, also beside one who takes nothing, and a fifth one cannot follow")
def bounded(directory):
    with Server(directory, OPTIONS + "junk_max = 1000000\ncommands_max = 1000000\n") as server:
        began = time.monotonic()
        with followed(server, "ip=127.0.0.1 rate=5") as slow, followed(server, "ip=127.0.0.1 rate=100000"), \
                server.client() as client:
            for _ in range(200):
                client.command("NOOP", 250)
            left_out, told = 0, 0
            while left_out == 0:
                line = slow.line()
                left_out = line.get("left_out", 0)
                told += "what" in line
            took = time.monotonic() - began
            assert told <= 5 * (1 + took), (told, took)
            client.command("QUIT", 221)
        with contextlib.ExitStack() as stack:
            def may_follow():
                control = stack.enter_context(Control(server))
                control.send(b"trace ip=10.0.0.0/8\n")
                return control.line().get("following", False)
            for _ in range(4):
                wait_for("a place", may_follow)
            equal(may_follow(), False, "a fifth")
        with Control(server) as control:
            for wrong in ("trace", "trace ip=x", "trace ip=1.2.3.4 rate=0", "trace from=a b", f"trace from={'x' * 500}"):
                equal(control.ask(wrong)[-1]["ok"], False, wrong)
        session(server)


@case("under load with those who come and go every mail is taken, and told as what it is")
def under_load(directory):
    with Server(directory, OPTIONS + "workers = 2\n") as server:
        with followed(server, "to=*alice* rate=100000") as control:
            senders = 0
            for number in range(10):
                with followed(server, "ip=127.0.0.0/8"):
                    for _ in range(5):
                        session(server)
                # It takes what it is told: where the machine is slow a socket has no room for all of it, piece by piece.
                while senders < 5 * (number + 1):
                    line = control.line()
                    senders += line.get("what") == "sender"
                    assert "left_out" not in line, line
        equal(len(server.mails()), 50, "mails")


if __name__ == "__main__":
    main()
