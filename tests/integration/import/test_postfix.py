#!/usr/bin/env python3
"""Ten configurations of Postfix, of shapes as sites have them: what the import tells of each, and that what it writes can be served."""
# threads elsewhere: import

import os
import re
import shutil
import subprocess

from common.harness import PROGRAM, Skip, case, equal, free_port, main, run_program
from common.imported import SITES, Row, import_site, rows, run_import, site, sums

NAMES = ("office", "screen", "greylist", "virtual", "backup", "rspamd", "debian", "variables", "garbled", "ldap")
POSTCONF = shutil.which("postconf", path="/usr/sbin:/usr/bin")


def expected(name):
    """What the report of the site must say: lines PLACE | THEIRS | JUDGEMENT | OURS."""
    lines = (SITES / name / "expected").read_text().splitlines()
    return [Row(*(word.strip() for word in line.split(" | ")), *[""] * (3 - line.count(" | "))) for line in lines]


@case("each restriction and setting of ten sites has its row, its place and its judgement, and the sums are right")
def judgements(directory):
    for name in NAMES:
        out = directory / name
        report = import_site(SITES / name / "main.cf", out).stdout
        found = rows(report)
        for row, wanted in zip(found, expected(name)):
            equal(row, wanted, f"row of {name}")
        equal(len(found), len(expected(name)), f"rows of {name}")
        told = sums(report)
        for what in told:
            for judgement in told[what]:
                assert told[what][judgement] <= sum(row.judgement == judgement for row in found), (name, what, judgement)
        equal(sum(sum(counts.values()) for counts in told.values()), len(found), f"all rows of {name}")
        equal((out / "report.txt").read_text() in report, True, f"report.txt of {name} is what was printed")


@case("check-config takes what was written of each site, enforced or observed, and each line says where it comes from")
def taken(directory):
    for name in NAMES:
        for options in (), ("--observe",):
            out = directory / f"{name}{len(options)}"
            import_site(SITES / name / "main.cf", out, *options)
            run = run_program("check-config", "--no-open", "-c", out / "gatepost.conf")
            equal((run.returncode, ": error:" in run.stderr), (0, False), f"check-config of {name}: {run.stderr}")
            text = (out / "gatepost.conf").read_text()
            for line in text.splitlines():
                is_setting = re.match(r" *[a-z_0-9]+ = ", line)
                assert not is_setting or " # " in line, f"{name}: {line} says not where it comes from"
            modes = re.findall(r"mode = (\w+)", text)
            assert modes and (not options or "enforce" not in modes), f"{name}: {modes}"


@case("check-config opens all of a site's configuration where nothing of it is on another machine")
def opened(directory):
    path = site(directory, "virtual", words={"/var/mail/vhosts/": f"{directory}/mail/"})
    (directory / "mail").mkdir()
    import_site(path, directory / "out", "--listen", f"127.0.0.1:{free_port()}")
    run = run_program("check-config", "-c", directory / "out/gatepost.conf")
    equal(run.returncode, 0, run.stderr + run.stdout)
    effective = run_program("check-config", "--effective", "--no-open", "-c", directory / "out/gatepost.conf").stdout
    for line in ('hostname = "mail.virtual.example"', "reject_at = first", f'deliver = "maildir:{directory}/mail/%d/%u"'):
        assert line in effective, f"{line} is not in force"


@case("recipients: accounts, aliases, mailboxes and catch-alls are in the files, and whoever is refused is not")
def recipients(directory):
    wanted = {
        ("office", "office.example"): ['abuse@office.example deliver="smtp://127.0.0.1:10025"', "alice@office.example",
                                       "bob@office.example", 'postmaster@office.example deliver="smtp://127.0.0.1:10025"',
                                       "root@office.example", 'sales@office.example deliver="smtp://127.0.0.1:10025"'],
        ("greylist", "grey.example"): ["alice@grey.example", "bob@grey.example"],
        ("virtual", "first.example"): ["alice@first.example", "bob@first.example",
                                       'mbox@first.example deliver="smtp://127.0.0.1:10025"',
                                       'old@first.example deliver="maildir:/var/mail/vhosts/archive/%u"',
                                       'sales@first.example deliver="smtp://127.0.0.1:10025"'],
        ("virtual", "second.example"): ['*@second.example deliver="smtp://127.0.0.1:10025"', "carol@second.example"],
        ("virtual", "alias.example"): ["info@alias.example"],
        ("screen", "isp.example"): ["alice@isp.example", "bob@isp.example"],
    }
    for name in {name for name, _ in wanted}:
        import_site(SITES / name / "main.cf", directory / name)
    for (name, domain), lines in wanted.items():
        equal((directory / name / "recipients" / domain).read_text().splitlines()[1:], lines, f"recipients of {domain}")


@case("what nobody here can know is asked of the next hop, and what only Postfix can do stays with it")
def asked(directory):
    run_import(SITES / "ldap/main.cf", "--out", directory / "out", "--behind", "127.0.0.1:2626")
    text = (directory / "out/gatepost.conf").read_text()
    domains = dict(re.findall(r'domain "([^"]+)" \{\n *recipients = "([^"]+)"', text))
    equal(domains, dict.fromkeys(("mx01.big.example", "big.example", "mail.big.example", "partner.example"), "callout:"), "recipients")
    hops = dict(re.findall(r'domain "([^"]+)" \{\n.*\n *deliver = "([^"]+)"', text))
    # Aliases that no store knows are in big.example, so its mail goes the way of Postfix.
    equal(hops, {"mx01.big.example": "smtp://127.0.0.1:2626", "big.example": "smtp://127.0.0.1:2626",
                 "mail.big.example": "lmtp://store.big.example:24", "partner.example": "smtp://127.0.0.1:2626"}, "next hops")


# ---- as Postfix reads it

def beside_postfix(directory, name):
    path = site(directory / name, name)
    if not (path.parent / "master.cf").exists():
        (path.parent / "master.cf").write_text("smtp inet n - n - - smtpd\n")
    return path


def need_postconf():
    if POSTCONF is None:
        raise Skip("no postconf")


@case("variables stand for what postconf -x says they stand for")
def expanded_as_postconf(directory):
    need_postconf()
    for name in NAMES:
        path = beside_postfix(directory, name)
        run = subprocess.run([POSTCONF, "-nx", "-c", path.parent], capture_output=True, text=True, check=False)
        if name == "garbled":
            continue
        equal(run.returncode, 0, run.stderr)
        theirs = {line.split(" = ")[0].rstrip(" ="): " ".join(line.split()) for line in run.stdout.splitlines()}
        ours = {line.split(" = ")[0].rstrip(" ="): " ".join(line.split()) for line in run_import(path, "--expanded").stdout.splitlines()}
        theirs.pop("config_directory", None)
        # postconf leaves out what is no setting of Postfix.
        equal({setting: value for setting, value in ours.items() if setting in theirs}, theirs, f"settings of {name}")
        equal(set(ours) - set(theirs) - {"no_such_setting"}, set(), f"settings of {name} that postconf does not have")


@case("what `postconf -n` prints is read as main.cf is, with the files of its folder")
def read_from_postconf(directory):
    need_postconf()
    for name in NAMES:
        if name in ("garbled", "variables"):
            continue
        path = beside_postfix(directory, name)
        text = subprocess.run([POSTCONF, "-n", "-c", path.parent], capture_output=True, text=True, check=True).stdout
        arguments = ("--accounts", SITES / "accounts")
        of_file = [row[1:] for row in rows(run_import(path, *arguments).stdout)]
        of_input = [row[1:] for row in rows(run_import("-", *arguments, text=text).stdout.replace("postconf -n:", "main.cf:"))]
        equal(sorted(of_input), sorted(of_file), f"rows of {name}")


# ---- what goes wrong

@case("what is no main.cf is an error with file and line, and nothing is written")
def no_main_cf(directory):
    texts = {
        "nonsense\n": ":1: error: no NAME = VALUE",
        "a = 1\n\n# x\nb ${c}\n": ":4: error: no NAME = VALUE",
        " a = 1\n": ":1: error: the first line begins with a blank",
        "a = 1\nsmtpd_timeout = ${a\n": ":2: error: a variable that does not end",
        "mynetworks = $mynetworks\n": ":1: error: variables that stand for each other",
        "a = \x01\n": ":1: error: a control character",
        "": ": error: there is no setting in it",
        "a = " + "x" * 2000000 + "\n": "File too large",
        "a = 1\n" * 6000: ":5001: error: more than 5000 settings",
    }
    for text, message in texts.items():
        path = directory / "main.cf"
        path.write_text(text)
        run = run_import(path, "--out", directory / "out", status=1)
        assert message in run.stderr, f"{text[:40]!r}: {run.stderr}"
        equal((directory / "out").exists(), False, f"{text[:40]!r}: a folder")
    path.write_text("a = 1\n")
    (directory / "master.cf").write_text("smtp inet n - n\n")
    assert "master.cf:1: error: less than eight fields" in run_import(path, status=1).stderr
    assert "No such file" in run_import(directory / "nowhere", status=1).stderr


@case("nothing is written over, and without --out nothing is written")
def written(directory):
    path = SITES / "office/main.cf"
    before = set(os.listdir(directory))
    assert "Nothing was written" in run_import(path).stdout
    equal(set(os.listdir(directory)), before, "files")
    out = directory / "out"
    import_site(path, out)
    texts = {name: (out / name).read_bytes() for name in ("gatepost.conf", "report.txt", "recipients/office.example")}
    assert "is not empty" in run_import(path, "--out", out, status=1).stderr
    equal({name: (out / name).read_bytes() for name in texts}, texts, "files")
    (directory / "file").write_text("x")
    assert "Not a directory" in run_import(path, "--out", directory / "file", status=1).stderr
    assert "No such file" in run_import(path, "--out", directory / "no/where", status=1).stderr


@case("wrong calls are told")
def wrong_calls(directory):
    for arguments in ((), ("exim",), ("postfix", "a", "b"), ("postfix", "--listen", "25"), ("postfix", "--resolver", "dns.example"),
                      ("postfix", "--expanded", "--out", directory / "x")):
        run = subprocess.run([PROGRAM, "import", *map(str, arguments)], capture_output=True, text=True, check=False)
        equal(run.returncode, 2, f"{arguments}")
        assert "usage: gatepost import postfix" in run.stderr, run.stderr


if __name__ == "__main__":
    main()
