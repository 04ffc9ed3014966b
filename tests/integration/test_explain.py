#!/usr/bin/env python3
"""gatepost explain, for a client and an envelope and for a reject id of the log; gatepost checks; observe mode."""

import re

from common.harness import HELO, Server, case, equal, main, run_program, wait_for


def explain(server, *arguments, status=0):
    run = run_program("explain", "-c", str(server.directory / "gatepost.conf"), *arguments)
    equal(run.returncode, status, f"status ({run.stderr})")
    return run.stdout


@case("checks lists each check with its number in the policy")
def checks(_):
    run = run_program("checks")
    equal(run.returncode, 0, "status")
    for name, number in (("syntax", "P10"), ("recipient", "P1"), ("helo_impersonation", "P5"), ("sender_tld", "P8")):
        assert re.search(rf"^{name}\s+{number}\b", run.stdout, re.M), run.stdout


@case("explain tells what each check says and what a session would be answered")
def envelope(directory):
    server = Server(directory)
    said = explain(server, "--ip", "192.0.2.7", "--helo", "mx1.isp.example", "--from", "a@example.com", "--to", "alice@isp.example")
    assert re.search(r"^helo_impersonation\s+enforce\s+refuse\b", said, re.M), said
    assert re.search(r"^helo_name\s+enforce\s+pass\b", said, re.M), said
    assert "550 5.7.1 you are not mx1.isp.example" in said, said


@case("explain tells what was seen when a reject id was given")
def reject_id(directory):
    with Server(directory) as server, server.client() as client:
        client.command(f"EHLO {HELO}", 250)
        client.command("MAIL FROM:<a@example.com>", 250)
        said = client.command("RCPT TO:<nobody@isp.example>", 550)
        client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        told = explain(server, re.search(r"\[(\w+)\]$", said)[1])
        assert "nobody@isp.example" in told and "127.0.0.1" in told and "550 5.7.1" in told, told
    explain(server, "1ZZZZZ000000", status=1)


@case("observe mode takes the mail and logs what it would have refused, with the line that says so")
def observe(directory):
    with Server(directory, domain="helo_name { mode = observe }") as server, server.client() as client:
        client.deliver(b"text\r\n", helo="localhost")
        client.command("QUIT", 221)
        wait_for("the log line", server.sessions)
        verdict = server.sessions()[0]["transactions"][0]["verdicts"][0]
        lines = (directory / "gatepost.conf").read_text().splitlines()
        line = next(number for number, text in enumerate(lines, 1) if "observe" in text)
        equal([verdict[key] for key in ("check", "mode", "result", "line")], ["helo_name", "observe", "refuse", line], "verdict")


if __name__ == "__main__":
    main()
