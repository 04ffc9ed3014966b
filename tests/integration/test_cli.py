#!/usr/bin/env python3
"""The command line: help of each subcommand, what is missing is named, exit statuses."""
# threads elsewhere: the command line

import contextlib
import re
import socket
import subprocess

from common.control import OPTIONS
from common.dns_peers import TXT, ScriptedDns, by_table, text
from common.harness import PROGRAM, SECONDS, Server, case, configuration, die_with_parent, equal, main, run_program, wait_for

SUBCOMMANDS = ["serve", "check-config", "reload", "status", "drain", "trace", "explain", "spf", "greylist", "journal", "tag", "policy-page", "checks"]
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


@case("help is one more subcommand, and takes one name at most")
def help_of_help(_):
    for arguments in (["help", "help"], ["help", "--help"], ["help", "-h"]):
        run = run_program(*arguments)
        equal((run.returncode, run.stderr), (0, ""), str(arguments))
        assert run.stdout == run_program("--help").stdout, run.stdout
    for arguments, word in ((["help", "serve", "extra"], "extra"), (["--help", "extra"], "extra"), (["--version", "extra"], "extra"),
                            (["help", "serve", "--extra"], "--extra")):
        run = run_program(*arguments)
        equal((run.returncode, run.stdout), (2, ""), str(arguments))
        equal(run.stderr.splitlines()[0], f'gatepost: {arguments[0]}: "{word}" is not understood', str(arguments))
    run = run_program("--vresion")
    equal((run.returncode, run.stderr.splitlines()[0]), (2, "gatepost: there is no option --vresion"), "an option that there is not")
    assert 'no subcommand "hepl"; did you mean help?' in run_program("hepl").stderr


@case("what cannot be written is a failure of every command that prints")
def full(directory):
    (directory / "recipients.txt").write_text("alice\n")
    (directory / "gatepost.conf").write_text(configuration(["127.0.0.1:2525"], 'sender_store = "lmdb:state"'))
    path = str(directory / "gatepost.conf")
    calls = [["--help"], ["--version"], ["help"], ["help", "serve"], ["serve", "--help"], ["checks"], ["check-config", "--print"],
             ["check-config", "--no-open", "-c", path], ["check-config", "--no-open", "--effective", "-c", path],
             ["explain", "-c", path, "--ip", "192.0.2.1", "--helo", "x.example.com", "--from", "a@example.com"],
             ["spf", "--ip", "192.0.2.7", "--from", "a@example.com", "--resolver", "127.0.0.1:9"],
             ["policy-page", "-c", path, "--out", directory / "page"]]
    for arguments in calls:
        with into_full(*arguments) as process:
            equal(process.wait(SECONDS), 1, f"status of {arguments}")


@contextlib.contextmanager
def into_full(*arguments):
    with open("/dev/full", "w") as out:
        process = subprocess.Popen([PROGRAM, *arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL,
                                   preexec_fn=die_with_parent)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@case("so it is of those that ask a running server, and trace ends with it")
def full_of_answers(directory):
    path = directory / "gatepost.conf"
    with Server(directory, options=OPTIONS) as server:
        with into_full("status", "-c", path) as process:
            equal(process.wait(SECONDS), 1, "status")

        def has_ended(process):
            with server.client() as client:
                client.command("QUIT", 221)
            return process.poll() is not None
        with into_full("trace", "-c", path, "--ip", "127.0.0.0/8") as process:
            wait_for("the end of trace", lambda: has_ended(process))
            equal(process.wait(), 1, "trace")
        with into_full("drain", "-c", path) as process:
            equal(process.wait(SECONDS), 1, "drain")


@case("what is missing or wrong in a call is named, with status 2")
def wrong_calls(_):
    calls = [
        (["serve"], "-c FILE is missing"), (["serve", "--lve"], "no option --lve"), (["serve", "-c"], "-c needs a value"),
        (["serve", "--config"], "--config needs a value"), (["serve", "x"], '"x" is not understood'), (["serve", "-x"], "no option -x"),
        (["check-config", "--config"], "--config needs a value"), (["check-config", "-c", "x", "y"], '"y" is not understood'),
        (["check-config", "--prnt"], "no option --prnt"), (["greylist", "--lst"], "no option --lst"),
        (["greylist", "list", "x", "-c", "x", "y"], '"y" is not understood'),
        (["check-config"], "-c FILE is missing"), (["check-config", "--print", "-c", "x"], "--print stands alone"),
        (["spf"], "--ip ADDRESS is missing"), (["spf", "--ip", "192.0.2.1"], "--from ADDRESS is missing"),
        (["spf", "--ip", "mail", "--from", "<>"], '--ip "mail" is no address'), (["spf", "--ip"], "--ip needs a value"),
        (["spf", "--form", "x"], "no option --form"), (["spf", "--resolver", "127.0.0.1"], "is not ADDRESS:PORT"),
        (["explain", "1BS0T7G1VBQC"], "-c FILE is missing"), (["explain", "--since", "1h"], "-c FILE is missing"),
        (["explain", "--ip", "192.0.2.1"], "-c FILE is missing"), (["explain", "-c", "x"], "--ip ADDRESS, or a reject id, or --client, --from, --to or --since, is missing"),
        (["explain", "-c", "x", "--tls"], "--ip ADDRESS, or a reject id, or --client, --from, --to or --since, is missing"),
        (["explain", "-c", "x", "--ip", "192.0.2.1", "--fact", "x"], '--fact "x": is not "NAME TYPE=VALUE"'),
        (["greylist"], "list, allow or forget is missing"), (["greylist", "lst"], '"lst"'), (["greylist", "list"], "-c FILE is missing"),
        (["journal"], "list, show, verify or drop is missing"), (["journal", "lst"], '"lst"'), (["journal", "show"], "-c FILE is missing"),
        (["journal", "drop", "-c", "x"], "NUMBER is missing"), (["journal", "list", "1", "-c", "x"], '"1" is not understood'),
        (["journal", "show", "-c", "x", "one"], '"one" is no number'),
        (["greylist", "allow", "-c", "x"], "WHO is missing"), (["tag"], "-c FILE is missing"),
        (["tag", "-c", "x"], "one of --message-id, --sender and --table"), (["checks", "x"], '"x"'),
        (["reload"], "-c FILE is missing"), (["status"], "-c FILE is missing"), (["drain", "--undo"], "-c FILE is missing"),
        (["status", "-c", "x", "y"], '"y" is not understood'), (["trace", "-c", "x"], "one of --ip, --from and --to is needed"),
        (["trace", "-c", "x", "--from", "a", "--to", "b"], "one of --ip, --from and --to is needed"),
        (["trace", "--to", "x"], "-c FILE is missing"),
    ]
    for arguments, expected in calls:
        run = run_program(*arguments)
        equal((run.returncode, run.stdout), (2, ""), str(arguments))
        assert expected in run.stderr.splitlines()[0] and f"usage: gatepost {arguments[0]}" in run.stderr, run.stderr


@case("-c and --config name the configuration for each subcommand that takes one, wherever they stand")
def configuration_option(directory):
    path = str(directory / "none.conf")
    for arguments in (["serve"], ["check-config"], ["explain", "--ip", "192.0.2.1", "--helo", "x", "--from", "<>"],
                      ["greylist", "list"], ["journal", "list"], ["tag", "--table"], ["reload"], ["status"], ["drain", "--undo"], ["trace", "--to", "x"],
                      ["policy-page", "--out", str(directory / "page")]):
        for option in (["-c", path], ["--config", path], [f"--config={path}"]):
            for call in ([*arguments, *option], [arguments[0], *option, *arguments[1:]]):
                run = run_program(*call)
                equal(run.returncode, 1, f"{call}: {run.stderr}")
                assert f"{path}: error: No such file" in run.stderr, run.stderr
    assert "--config" in run_program("help").stdout


@case("gatepost spf: an exit status for each result")
def spf_statuses(_):
    records = {"pass": "+all", "fail": "-all", "softfail": "~all", "neutral": "?all", "permerror": "nonsense"}
    table = {(f"{name}.example.com", TXT): (text(f"v=spf1 {record}"),) for name, record in records.items()}
    with ScriptedDns(by_table(table)) as dns:
        for name, status in STATUSES.items():
            port = dns.port if name != "temperror" else 9
            run = run_program("spf", "--ip", "192.0.2.7", "--from", f"a@{name}.example.com", "--resolver", f"127.0.0.1:{port}")
            equal((run.returncode, run.stdout.splitlines()[0]), (status, name), run.stdout + run.stderr)


@case("the status line: refusals are those of the checks that follow, and a file gets no rates")
def status_line(directory):
    server = Server(directory, options="greeting_pause = 5s")
    with (directory / "live").open("wb") as live, (directory / "stderr").open("wb") as stderr:
        server.process = subprocess.Popen([PROGRAM, "serve", "--as-root", "--live", "-c", directory / "gatepost.conf"], stdout=live, stderr=stderr,
                                          stdin=subprocess.DEVNULL, preexec_fn=die_with_parent)
    with server:
        wait_for("the log", lambda: (directory / "log").exists() and "ready" in (directory / "log").read_text())
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.sendall(b"EHLO client.example.com\r\n")
            assert client.recv(100).startswith(b"554 "), "answer to an early talker"
        line = "open 0  accepted 0  refused 1  deferred 0  top: early_talker 1\n"
        wait_for("the status line", lambda: (directory / "live").read_text().endswith(line))
    assert "/s" not in (directory / "live").read_text()


if __name__ == "__main__":
    main()
