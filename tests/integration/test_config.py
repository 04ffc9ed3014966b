#!/usr/bin/env python3
"""check-config: errors with file and line, all of several, the nearest known name; what --print writes loads again."""

import os
import re
import subprocess

from common.harness import IS_ROOT, PROGRAM, ROOT, SECONDS, Server, Skip, case, configuration, equal, free_port, main, run_program, wait_for


def check(directory, text, status):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(text)
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    said = run.stdout + run.stderr
    equal(run.returncode, status, f"status ({said})")
    return said


GOOD = configuration(["127.0.0.1:2525"])


@case("a good configuration passes")
def good(directory):
    check(directory, GOOD, 0)


@case("what ships passes, without a warning")
def shipped(_):
    for name in ("gatepost.conf", "production.conf"):
        run = run_program("check-config", "--no-open", "-c", str(ROOT / "conf" / name))
        equal(run.returncode, 0, f"status for {name} ({run.stdout}{run.stderr})")
        assert "0 errors, 0 warnings" in run.stdout + run.stderr, run.stdout + run.stderr


@case("an error names file and line")
def file_and_line(directory):
    said = check(directory, "# a comment\n\nidle_timeout = \"soon\"\n" + GOOD, 1)
    assert said.startswith(f"{directory}/gatepost.conf: 1 error, 0 warnings\n"), said
    assert f"{directory}/gatepost.conf:3: error:" in said or "gatepost.conf:3: error:" in said, said


@case("all of several errors are reported")
def several(directory):
    said = check(directory, "recipients_max = 0\nworkers = 100000\nreject_at = never\n" + GOOD, 1)
    lines = sorted({int(line) for line in re.findall(r"gatepost\.conf:(\d+): error:", said)})
    equal(lines, [1, 2, 3], "lines with errors")


@case("an unknown name is refused and names the nearest")
def nearest(directory):
    said = check(directory, GOOD + 'greeting_pauze = 1s\n', 1)
    assert re.search(rf"gatepost\.conf:{len(GOOD.splitlines()) + 1}: error: .*greeting_pause\b", said), said


@case("an unknown name in a domain names the nearest")
def nearest_in_domain(directory):
    said = check(directory, configuration(["127.0.0.1:2525"], domain="extention = \"+\""), 1)
    assert re.search(r"gatepost\.conf:\d+: error: .*extension\b", said), said


@case("a missing recipients file is an error")
def no_recipients(directory):
    said = check(directory, configuration(["127.0.0.1:2525"], recipients="nowhere.txt"), 1)
    assert re.search(r"gatepost\.conf:\d+: error: .*nowhere\.txt", said), said


@case("a bad line of a recipients file is reported with its place")
def bad_recipient(directory):
    text = configuration(["127.0.0.1:2525"], recipients="other.txt")
    (directory / "other.txt").write_text("alice\n# a comment\nnot an address\n")
    said = check(directory, text, 1)
    assert re.search(r"other\.txt:3: error:", said), said


@case("a missing configuration is an error")
def no_file(directory):
    run = run_program("check-config", "-c", str(directory / "nowhere.conf"))
    equal(run.returncode, 1, "status")
    assert "nowhere.conf" in run.stdout + run.stderr


@case("what --print writes loads with a domain to it")
def printed(directory):
    run = run_program("check-config", "--print")
    equal(run.returncode, 0, f"status of --print ({run.stderr})")
    check(directory, run.stdout + 'domain "isp.example" { recipients = "recipients.txt"  deliver = "discard:" }\n', 0)
    assert "allow_no_domains" in check(directory, run.stdout, 1)


@case("what --effective writes says the same, wherever it stands")
def effective(directory):
    for name in ("gatepost.conf", "production.conf"):
        run = run_program("check-config", "--no-open", "--effective", "-c", str(ROOT / "conf" / name))
        equal(run.returncode, 0, f"status ({run.stderr})")
        (directory / "again.conf").write_text(run.stdout)
        again = run_program("check-config", "--no-open", "--effective", "-c", str(directory / "again.conf"))
        equal((again.returncode, again.stdout), (0, run.stdout), f"{name} again ({again.stderr})")
    for line in ('hostname = "mx1.isp.example"', "recipients_max = 200", "idle_timeout = 5m    # default", "    connections = 600/1m    # default",
                 '    deliver = "maildir:/var/mail/gatepost/%d/%u"', '        errors = {"127.0.0.255", "127.0.10.[1..255]"}',
                 "    dynamic_client { mode = enforce }", 'trusted_networks = {"192.0.2.0/28", "2001:db8:25::/64"}'):
        assert line in run.stdout.splitlines(), f"{line} is not in {run.stdout}"


@case("--effective shows no password")
def effective_password(directory):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text('sender_password = "geheim"\n' + GOOD)
    (directory / "gatepost.conf").chmod(0o600)
    run = run_program("check-config", "--effective", "-c", str(directory / "gatepost.conf"))
    equal(run.returncode, 0, run.stderr)
    assert "geheim" not in run.stdout + run.stderr and "# sender_password is set" in run.stdout, run.stdout


def as_somebody(directory, *options):
    """check-config by a user who may not do everything."""
    if not IS_ROOT:
        raise Skip("tests another user, as root")
    command = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", str(PROGRAM), "check-config", *options, "-c",
               str(directory / "gatepost.conf")]
    return subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)


def line_of(directory, words):
    """The number of the line that begins with these, in a configuration whose harness adds lines for sanitizers."""
    lines = (directory / "gatepost.conf").read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(words))


@case("what serve could not open is told: log, store, Maildirs, addresses")
def openings(directory):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "log").mkdir()
    (directory / "state").write_text("")
    (directory / "mail").write_text("")
    text = configuration(["192.0.2.1:25"], 'sender_store = "lmdb:state"')
    (directory / "gatepost.conf").write_text(text)
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    equal(run.returncode, 1, run.stderr)
    for expected in (r"error: log: \S*/log: Is a directory", r"error: sender_store: \S*/state: Not a directory",
                     rf":{line_of(directory, 'domain')}: warning: deliver: \S*/mail/\S*: Not a directory: mail is deferred",
                     r"error: listen: 192\.0\.2\.1:25: no interface of this machine"):
        assert re.search(expected, run.stderr), f"{expected}: {run.stderr}"
    run = run_program("check-config", "--no-open", "-c", str(directory / "gatepost.conf"))
    equal((run.returncode, run.stderr), (0, ""), "the text alone")
    (directory / "gatepost.conf").write_text(re.sub('log = "[^"]*"', 'log = "none/log"', text) + 'control = "none/control"\n')
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    for option in ("log", "control"):
        assert f"error: {option}: {directory}/none/{option}: its folder does not exist\n" in run.stderr, run.stderr
    equal(sorted(path.name for path in directory.iterdir()), ["gatepost.conf", "log", "mail", "recipients.txt", "state"], "nothing is made")


def both(directory, status):
    """check-config and serve, of the same mind; returns what each says."""
    runs = [run_program("check-config", "-c", str(directory / "gatepost.conf")), run_program("serve", "--as-root", "-c", str(directory / "gatepost.conf"))]
    equal([run.returncode for run in runs], [status, status], "".join(run.stderr for run in runs))
    return [run.stderr for run in runs]


@case("a store of LMDB that is none is found without a trace, and serve names it alone")
def broken_store(directory):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration([f"127.0.0.1:{free_port()}"], 'sender_store = "lmdb:state"'))
    (directory / "state").mkdir()
    for octets, reason in ((b"garbage " * 5000, "MDB_INVALID: File is not an LMDB file"), (b"x", "MDB_INVALID")):
        (directory / "state/data.mdb").write_bytes(octets)
        check, serve = both(directory, 1)
        assert f"error: sender_store: {directory}/state: {reason}" in check, check
        assert f"cannot open the store of senders in {directory}/state: {reason}" in serve and "cannot start" not in serve, serve
        equal([path.name for path in (directory / "state").iterdir()], ["data.mdb"], "nothing is made")


@case("a store of senders in use, empty or cut is no error, nor is a folder of root's with the user's files in it")
def good_stores(directory):
    options = 'sender_store = "lmdb:state"'
    check = ("check-config", "-c", str(directory / "gatepost.conf"))
    (directory / "state").mkdir()
    (directory / "state/data.mdb").write_bytes(b"")
    with Server(directory, options):
        equal(run_program(*check).returncode, 0, "in use")
    equal(run_program(*check).returncode, 0, "afterwards")
    if IS_ROOT:
        for path in (directory / "state").iterdir():
            os.chown(path, 65534, 65534)
        os.chown(directory / "log", 65534, 65534)
        run = as_somebody(directory)
        equal(run.returncode, 0, run.stderr)
        (directory / "state/lock.mdb").unlink()
        run = as_somebody(directory)
        assert run.returncode == 1 and "state/lock.mdb: Permission denied" in run.stderr, run.stderr
    with (directory / "state/data.mdb").open("r+b") as data:
        data.truncate(8192)
    equal(run_program(*check).returncode, 0, "pages behind the end are left alone")


@case("a log that is neither a file nor a FIFO nor a character device is an error for check-config and for serve")
def special_log(directory):
    (directory / "recipients.txt").write_text("alice\n")
    for path in ("/proc/self/mem", "/proc/self/comm", "/sys/kernel/mm/transparent_hugepage/enabled"):
        if not os.access(path, os.W_OK):
            continue
        (directory / "gatepost.conf").write_text(GOOD.replace('log = "log"', f'log = "{path}"'))
        for said in both(directory, 1):
            assert f"{path}: not a file, but a part of the kernel" in said, said
    (directory / "gatepost.conf").write_text(GOOD.replace('log = "log"', 'log = "/dev/null"'))
    equal(run_program("check-config", "-c", str(directory / "gatepost.conf")).returncode, 0, "/dev/null")


@case("a root of Maildirs that cannot be used is a warning, of check-config and at the start: mail is deferred")
def unusable_root(directory):
    (directory / "mail").write_text("")
    with Server(directory, "maildir_sync_together = 0") as server:
        run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
        equal(run.returncode, 0, run.stderr)
        expected = rf":{line_of(directory, 'domain')}: warning: deliver: \S*/mail/%d/%u: Not a directory: mail is deferred"
        assert re.search(expected, run.stderr), run.stderr
        wait_for("the warning", lambda: "/mail/%d/%u: Not a directory: mail is deferred" in server.stderr())
        with server.client() as client:
            client.begin()
            client.finish(b"Subject: x\r\n", 451)


@case("a folder's name that is too long for any mailbox is an error")
def long_component(directory):
    for path, status in (("x" * 255 + "/%u", 0), ("x" * 256 + "/%u", 1), ("x" * 254 + "%u", 0), ("x" * 255 + "%u", 1), ("x" * 244 + "%d/%u", 0),
                         ("x" * 245 + "%d/%u", 1)):
        said = check(directory, configuration(["127.0.0.1:2525"], deliver=f"maildir:mail/{path}"), status)
        assert status == 0 or re.search(r":\d+: error: deliver: no folder's name has more than 255 octets", said), said


@case("what serve could not open for lack of rights is told, privileged ports too")
def rights(directory):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:25"], 'sender_store = "lmdb:state"'))
    run = as_somebody(directory)
    equal(run.returncode, 1, run.stderr)
    folder = rf"; tried as \w+, the folder {re.escape(str(directory))} belongs to \w+:\w+ with mode 0[0-7]{{3}}"
    for expected in (rf"error: log: \S*/log: Permission denied{folder}", rf"error: sender_store: \S*/state: Permission denied{folder}",
                     r"warning: deliver: no Maildir can be made in \S+ \(Permission denied; tried as \w+, it belongs to \w+:\w+ with mode 0[0-7]{3}\)", r"error: listen: 127\.0\.0\.1:25: .*CAP_NET_BIND_SERVICE"):
        assert re.search(expected, run.stderr), f"{expected}: {run.stderr}"


@case("an address that somebody listens on is only noted: it may be the server that the file is for")
def in_use(directory):
    with Server(directory):
        run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    equal(run.returncode, 0, run.stderr)
    assert "0 errors, 0 warnings" in run.stdout and re.search(r"note: listen: 127\.0\.0\.1:\d+: somebody listens there", run.stderr), run.stderr
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    equal((run.returncode, run.stderr), (0, ""), "afterwards")


@case("serve refuses a wrong configuration with status 1")
def serve_refuses(directory):
    (directory / "gatepost.conf").write_text("workers = many\n")
    run = run_program("serve", "-c", str(directory / "gatepost.conf"))
    equal(run.returncode, 1, "status")
    assert "gatepost.conf:1: error:" in run.stdout + run.stderr, run.stderr


@case("an included file's errors carry its own name")
def included(directory):
    (directory / "more.conf").write_text("\nidle_timeout = never\n")
    said = check(directory, 'include("more.conf")\n' + GOOD, 1)
    assert re.search(r"more\.conf:2: error:", said), said


@case("several domains, each with its recipients")
def domains(directory):
    (directory / "other.txt").write_text("carol\n")
    other = 'domain "other.example" { recipients = "other.txt"  deliver = "maildir:mail/%d/%u" }'
    with Server(directory, other) as server, server.client() as client:
        client.deliver(b"text\r\n", recipients=["alice@isp.example", "carol@other.example"])
        equal([len(server.mails("alice")), len(server.mails("carol", "other.example"))], [1, 1], "mails")
        client.command("MAIL FROM:<>", 250)
        client.command("RCPT TO:<carol@isp.example>", 550)
        client.command("RCPT TO:<alice@other.example>", 550)
        client.command("QUIT", 221)


if __name__ == "__main__":
    main()
