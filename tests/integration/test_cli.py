#!/usr/bin/env python3
"""The command line: help of each subcommand, what is missing is named, exit statuses."""

import re

from common.dns_peers import TXT, ScriptedDns, by_table, text
from common.harness import case, equal, main, run_program

SUBCOMMANDS = ["serve", "check-config", "explain", "spf", "greylist", "tag", "checks"]
STATUSES = {"pass": 0, "fail": 10, "softfail": 11, "neutral": 12, "none": 13, "temperror": 14, "permerror": 15}


@case("help of the program: on stdout and 0 when asked for, on stderr and 2 when something is wrong")
def program_help(_):
    for arguments in (["--help"], ["-h"], ["help"]):
        run = run_program(*arguments)
        equal((run.returncode, run.stderr), (0, ""), str(arguments))
        for name in SUBCOMMANDS:
            assert re.search(rf"^ +{name} ", run.stdout, re.M), run.stdout
    for arguments in ([], ["srve"], ["help", "srve"]):
        run = run_program(*arguments)
        equal((run.returncode, run.stdout), (2, ""), str(arguments))
        assert "usage: gatepost" in run.stderr, run.stderr
    assert 'no subcommand "srve"; did you mean serve?' in run.stderr, run.stderr
    assert re.fullmatch(r"gatepost \d+\.\d+\S*\n", run_program("--version").stdout)


@case("help of each subcommand, with its exit statuses")
def subcommand_help(_):
    for name in SUBCOMMANDS:
        said = [run_program(*arguments) for arguments in (["help", name], [name, "--help"], [name, "-h"])]
        equal({(run.returncode, run.stdout, run.stderr) for run in said}, {(0, said[0].stdout, "")}, name)
        assert said[0].stdout.startswith(f"usage: gatepost {name}") and "Exit status: 0" in said[0].stdout, said[0].stdout


@case("what is missing or wrong in a call is named, with status 2")
def wrong_calls(_):
    calls = [
        (["serve"], "-c FILE is missing"), (["serve", "--lve"], '"--lve"'), (["serve", "-c"], "value is missing"),
        (["check-config"], "-c FILE is missing"), (["check-config", "--print", "-c", "x"], "--print stands alone"),
        (["spf"], "--ip ADDRESS is missing"), (["spf", "--ip", "192.0.2.1"], "--from ADDRESS is missing"),
        (["spf", "--ip", "mail", "--from", "<>"], '--ip "mail" is no address'), (["spf", "--ip"], "--ip needs a value"),
        (["spf", "--form", "x"], "no option --form"), (["spf", "--resolver", "127.0.0.1"], "is not ADDRESS:PORT"),
        (["explain", "--ip", "192.0.2.1"], "-c FILE is missing"), (["explain", "-c", "x"], "--ip ADDRESS, or a reject id, or --from, --to or --since, is missing"),
        (["explain", "-c", "x", "--ip", "192.0.2.1"], "--helo NAME is missing"),
        (["explain", "-c", "x", "--ip", "192.0.2.1", "--helo", "x"], "--from ADDRESS is missing"),
        (["greylist"], "list, allow or forget is missing"), (["greylist", "lst"], '"lst"'), (["greylist", "list"], "-c FILE is missing"),
        (["greylist", "allow", "-c", "x"], "WHO is missing"), (["tag"], "-c FILE is missing"),
        (["tag", "-c", "x"], "one of --message-id, --sender and --table"), (["checks", "x"], '"x"'),
    ]
    for arguments, expected in calls:
        run = run_program(*arguments)
        equal((run.returncode, run.stdout), (2, ""), str(arguments))
        assert expected in run.stderr.splitlines()[0] and f"usage: gatepost {arguments[0]}" in run.stderr, run.stderr


@case("gatepost spf: an exit status for each result")
def spf_statuses(_):
    records = {"pass": "+all", "fail": "-all", "softfail": "~all", "neutral": "?all", "permerror": "nonsense"}
    table = {(f"{name}.example.com", TXT): (text(f"v=spf1 {record}"),) for name, record in records.items()}
    with ScriptedDns(by_table(table)) as dns:
        for name, status in STATUSES.items():
            port = dns.port if name != "temperror" else 9
            run = run_program("spf", "--ip", "192.0.2.7", "--from", f"a@{name}.example.com", "--resolver", f"127.0.0.1:{port}")
            equal((run.returncode, run.stdout.splitlines()[0]), (status, name), run.stdout + run.stderr)


if __name__ == "__main__":
    main()
