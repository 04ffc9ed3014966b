#!/usr/bin/env python3
"""check-config: errors with file and line, all of several, the nearest known name; what --print writes loads again."""

import re

from common.harness import ROOT, Server, case, configuration, equal, main, run_program


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
        run = run_program("check-config", "-c", str(ROOT / "conf" / name))
        equal(run.returncode, 0, f"status for {name} ({run.stdout}{run.stderr})")
        assert "0 errors, 0 warnings" in run.stdout + run.stderr, run.stdout + run.stderr


@case("an error names file and line")
def file_and_line(directory):
    said = check(directory, "# a comment\n\nidle_timeout = \"soon\"\n" + GOOD, 1)
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
