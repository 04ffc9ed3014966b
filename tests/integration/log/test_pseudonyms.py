#!/usr/bin/env python3
"""Pseudonyms in the log: at once and in rotated files, revealed by whoever has the key, and nothing is lost on the way."""

import gzip
import json
import os
import re
import signal
import subprocess
import time

from common.harness import PROGRAM, SECONDS, Server, case, equal, main, run_program, wait_for

SECRET = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
OPTIONS = 'log_interval = 0\nlog_pseudonym_key_file = "log.keys"\n'
HIDDEN = OPTIONS + "log_addresses = pseudonym\n"
DAY = 86400
LINE = ('{{"time":"2026-11-20T08:00:{:02}.123Z","event":"session","client":"192.0.2.{}","port":25,"helo":"dsl-192-0-2-{}.isp.example",'
        '"transactions":[{{"id":"1BS0T7G1VBQB","from":"carol{}@client.example","rcpts":[{{"to":"alice@isp.example","code":"250 2.1.5"}}]}}]}}\n')


def command(server, verb, *arguments, status=0):
    run = run_program("log", verb, *arguments if "--key-file" in arguments else ("-c", str(server.directory / "gatepost.conf"), *arguments))
    equal(run.returncode, status, f"status of log {verb} {arguments} ({run.stderr})")
    return run


def write_key(directory, text=f"2026-11-01:{SECRET}\n"):
    (directory / "log.keys").write_text(text)
    (directory / "log.keys").chmod(0o600)


def old_log(count=2000):
    return "".join(LINE.format(i % 60, i % 250, i % 250, i) for i in range(count)).encode()


def without_mark(octets):
    first, rest = octets.split(b"\n", 1)
    equal(json.loads(first)["event"], "log_pseudonymised", "event of the first line")
    return rest


def talk(server):
    """A mail and a refused recipient; returns the reject id."""
    with server.client(source="127.0.0.7") as client:
        client.command("EHLO [127.0.0.7]", 250)
        client.command("MAIL FROM:<carol@example.com>", 250)
        reply = client.command("RCPT TO:<eve.x@isp.example>", 550)
        client.command("RCPT TO:<alice@isp.example>", 250)
        client.command("QUIT", 221)
    return re.search(r"\[(\w{12})\]", str(reply))[1]


@case("with log_addresses = pseudonym no line has an address or a local part, and the key reveals them; explain works with it and without")
def at_once(directory):
    server = Server(directory, HIDDEN + "log_prefix4 = 24\n")
    command(server, "new-key")
    keys = directory / "log.keys"
    equal(oct(keys.stat().st_mode & 0o777), "0o600", "mode of the keys")
    with server:
        reject_id = talk(server)
        line = wait_for("the session's line", server.sessions)[0]
        octets = (directory / "log").read_text()
        for word in ("carol", "eve.x", "alice", "127.0.0.7"):
            assert word not in octets, f"{word} is in {octets}"
        assert re.fullmatch(r"~a\d{8}~[a-z2-7]{26}", line["client"]), line
        equal(line["network"], "127.0.0.0/24", "network")
        assert line["transactions"][0]["from"].endswith("@example.com"), line
        told = json.loads(command(server, "reveal", "--address", "127.0.0.7", str(directory / "log")).stdout)
        equal([told["client"], told["helo"], told["transactions"][0]["from"]], ["127.0.0.7", "[127.0.0.7]", "carol@example.com"], "revealed")
        equal(json.loads(command(server, "reveal", "--mailbox", "EVE.x@isp.example", str(directory / "log")).stdout), told, "by the recipient")
        command(server, "reveal", "--mailbox", "ve.x@isp.example", str(directory / "log"), status=1)
        for wanted in ((reject_id,), ("--from", "carol@example.com"), ("--to", "eve.x@isp.example")):
            story = run_program("explain", "-c", str(directory / "gatepost.conf"), *wanted)
            equal(story.returncode, 0, f"status of explain {wanted} ({story.stderr})")
            assert "[127.0.0.7]" in story.stdout and "carol@example.com" in story.stdout, story.stdout
        story = run_program("explain", "--log", str(directory / "log"), reject_id)
        assert story.returncode == 0 and line["client"] in story.stdout and "127.0.0.7" not in story.stdout, (story.stdout, story.stderr)


@case("explain says when it cannot find a mailbox because no key reveals the pseudonyms of the log")
def keyless(directory):
    server = Server(directory, HIDDEN)
    write_key(directory)
    (directory / "log.1").write_bytes(old_log(30))
    command(server, "pseudonymise", str(directory / "log.1"))

    def ask(*arguments):
        return run_program("explain", "-c", str(directory / "gatepost.conf"), "--log", str(directory / "log"), *arguments)
    (directory / "log").touch()
    told = ask("--from", "carol7@client.example")
    assert told.returncode == 0 and "carol7@client.example" in told.stdout and "no key" not in told.stderr, told
    write_key(directory, "2027-01-01:" + SECRET[::-1] + "\n")
    told = ask("--from", "carol7@client.example")
    assert told.returncode == 1 and "sessions with pseudonyms that no key reveals: 30" in told.stderr, told
    told = ask("--from", "@client.example")
    assert told.returncode == 0 and "no key" not in told.stderr, told


@case("a reload brings pseudonyms, another key, and plain lines again; keys that are wrong bring nothing")
def reloaded(directory):
    server = Server(directory, OPTIONS)
    with server:
        talk(server)
        wait_for("a plain line", server.sessions)
        server.write_configuration(options=HIDDEN)
        failed = server.ask(signal.SIGHUP, "reload", "reload_failed")
        assert failed["event"] == "reload_failed" and "log.keys" in failed["complaints"], failed
        seen = []
        for day in ("2026-10-01", "2026-11-02"):
            write_key(directory, f"{day}:{SECRET}\n")
            server.reload()
            talk(server)
            seen.append(wait_for("a line", lambda: server.sessions()[1 + len(seen):])[0]["client"])
        equal([client[:11] for client in seen], ["~a20261001~", "~a20261102~"], "pseudonyms")
        server.write_configuration(options=OPTIONS)
        server.reload()
        talk(server)
        equal(wait_for("a line", lambda: server.sessions()[3:])[0]["client"], "127.0.0.7", "client")


@case("rotated files get pseudonyms, compressed or not, once; mode and times stay, and the key gives back each octet")
def rotated(directory):
    server = Server(directory, OPTIONS)
    write_key(directory)
    octets = old_log()
    plain, packed = directory / "log.1", directory / "log.2.gz"
    plain.write_bytes(octets)
    packed.write_bytes(gzip.compress(octets))
    plain.chmod(0o640)
    before = time.time() - 9 * DAY
    for path in (plain, packed):
        os.utime(path, (before, before))
    (directory / "log").write_bytes(octets)
    (directory / "log-20261129").write_bytes(octets)  # not old enough
    os.utime(directory / "log", (before, before))  # the server's own
    (directory / ".log.1.pseudonymised").write_bytes(b"left by one that was killed")
    equal(command(server, "pseudonymise").stdout.count(": 2000 lines\n"), 2, "files")
    hidden = plain.read_bytes()
    equal(gzip.decompress(packed.read_bytes()), hidden, "of both")
    for word in (b"carol", b"alice", b"192.0.2", b"192-0-2"):
        assert word not in hidden, word
    rows = [json.loads(line) for line in without_mark(hidden).splitlines()]
    equal(len({row["client"] for row in rows}), 250, "different clients")
    assert all(row["helo"].endswith(".isp.example") for row in rows)
    revealed = command(server, "reveal", "--key-file", str(directory / "log.keys"), str(packed)).stdout
    equal(without_mark(revealed.encode()), octets, "what the key gives back")
    equal(command(server, "reveal", "--address", "192.0.2.7", str(plain)).stdout.count("\n"), 8, "lines of one client")
    for wrong in ("", "192.0.2", "carol7@client.example"):
        command(server, "reveal", "--address", wrong, str(plain), status=2)
    other_line = LINE.format(1, 7, 7, 7).replace("192.0.2.7", "2001:db8::7").encode()
    (directory / "log-20261128").write_bytes(other_line)
    command(server, "pseudonymise", str(directory / "log-20261128"))
    equal(command(server, "reveal", "--address", "2001:DB8:0::7", str(directory / "log-20261128")).stdout.encode(), other_line, "spelt otherwise")
    (directory / "log-20261128").unlink()
    for path in (plain, packed):
        equal(round(path.stat().st_mtime), round(before), f"time of {path}")
    equal(oct(plain.stat().st_mode & 0o777), "0o640", "mode")
    for path in (directory / "log", directory / "log-20261129"):
        equal(path.read_bytes(), octets, str(path))
    equal(command(server, "pseudonymise").stdout.count("nothing to do"), 2, "files that were done before")
    equal(plain.read_bytes(), hidden, "done once")
    equal(sorted(path.name for path in directory.glob(".*")), [], "files left")
    command(server, "pseudonymise", str(directory / "log-20261129"))
    story = run_program("explain", "-c", str(directory / "gatepost.conf"), "--from", "carol7@client.example")
    assert "192.0.2.7" in story.stdout, (story.stdout, story.stderr)


@case("what is written to, changed, cut off, linked or no file stays as it is, and is told")
def left_alone(directory):
    server = Server(directory, OPTIONS)
    write_key(directory)
    octets = old_log(10)
    written, cut, live = directory / "log.1", directory / "log.2.gz", directory / "log"
    written.write_bytes(octets)
    cut.write_bytes(gzip.compress(octets)[:-20])
    live.write_bytes(octets)
    linked = directory / "log.3"
    linked.write_bytes(octets)
    os.link(linked, directory / "other")
    (directory / "log.4").symlink_to(directory / "log.1")
    kept = {path: path.read_bytes() for path in (written, cut, live, linked)}
    with written.open("ab"):
        told = command(server, "pseudonymise", *map(str, (written, cut, live, linked, directory / "log.4", directory / "log.5")), status=1).stderr
    for reason in ("log.1: somebody has it open for writing", "log.2.gz: it is cut off", "log: the server writes to it", "log.3: it has another name",
                   "log.4: Too many levels", "log.5: No such file"):
        assert reason in told, f"no {reason!r} in {told}"
    for path, before in kept.items():
        equal(path.read_bytes(), before, str(path))
    equal(list(directory.glob(".*")), [], "files left")


@case("killed at any moment it leaves the old file or the new one, whole")
def killed(directory):
    server = Server(directory, OPTIONS)
    write_key(directory)
    octets = old_log(40000)
    path = directory / "log.1"
    for wait_s in (0, 0.02, 0.05, 0.1, 0.2, 0.4):
        path.write_bytes(octets)
        with subprocess.Popen([PROGRAM, "log", "pseudonymise", "-c", directory / "gatepost.conf", path], stdout=subprocess.DEVNULL) as process:
            time.sleep(wait_s)
            process.kill()
        found = path.read_bytes()
        assert found == octets or without_mark(found).count(b"\n") == 40000, len(found)
    command(server, "pseudonymise", str(path))
    hidden = path.read_bytes()
    equal(without_mark(hidden).count(b"\n"), 40000, "lines")
    equal(list(directory.glob(".*")), [], "files left")


@case("new-key makes the first key, another when the period is over, and forgets the oldest; without a file there is nothing to do")
def keys(directory):
    server = Server(directory, OPTIONS + "log_pseudonym_period = 30d\nlog_pseudonym_keys = 3\n")
    path = directory / "log.keys"

    def days():
        return re.findall(r"^(\S+):[0-9a-f]{64}$", path.read_text(), re.M)

    def day(offset):
        return time.strftime("%Y-%m-%d", time.gmtime(time.time() + offset * DAY))
    until_midnight = DAY - time.time() % DAY
    if until_midnight < SECONDS:
        time.sleep(until_midnight + 1)  # the day is to be the same until the end
    command(server, "new-key")
    equal(days(), [day(0)], "days of the first key")
    equal(command(server, "new-key").stdout, "no key is due\n")
    write_key(directory, "# ours\n" + "".join(f"{day(-offset)}:{SECRET}\n" for offset in (99, 66, 33)))
    path.chmod(0o640)
    command(server, "new-key")
    equal(days(), [day(-66), day(-33), day(1)], "days of the keys")
    assert path.read_text().startswith("# ours\n") and path.stat().st_mode & 0o777 == 0o640
    write_key(directory, f"{day(-28)}:{SECRET}\n")
    command(server, "new-key")
    equal(days(), [day(-28)], "days before the period is over")
    write_key(directory, "nonsense\n")
    command(server, "new-key", status=1)
    equal(path.read_text(), "nonsense\n", "a file that is not understood")
    write_key(directory, "# ours\n")
    assert "new-key makes one" in command(server, "reveal", status=1).stderr
    command(server, "new-key")
    equal(days(), [day(0)], "days of a file that had no key")
    server.write_configuration(options="log_interval = 0\n")
    for verb in ("new-key", "pseudonymise"):
        assert "nothing to do" in command(server, verb).stdout


if __name__ == "__main__":
    main()
