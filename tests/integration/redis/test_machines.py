#!/usr/bin/env python3
"""gatepost fleet: what machines tell of themselves in Redis, and what status makes of it, of lies and of silence too."""

import json
import re
import signal
import time

from common.fleet import Redis, fleet, running
from common.harness import HELO, PATIENCE, SENDER, case, equal, free_port, main, run_program, wait_for
from common.messages import HEADER
from common.senders import SENDER_TIMEOUT
from common.web import get

TABLE = "gatepost:machines"
WELL, UNLIKE, ERROR = 0, 1, 2
AT_ONCE = max(8, 5 * PATIENCE)  # seconds; without a reload a record comes each 10 s


def configure(server, number, more=""):
    """The configuration of the machine mxNUMBER."""
    server.write_configuration(options=server.options + "\n" + more)
    path = server.directory / "gatepost.conf"
    path.write_text(path.read_text().replace('hostname = "mx1.isp.example"', f'hostname = "mx{number}.isp.example"'))


def machines(directory, count, *instances, more=""):
    """So many servers with the same configuration but for name and address."""
    servers = fleet(directory, count, f'sender_store = "redis://{"|".join(redis.endpoint for redis in instances)}"\nsender_timeout = {SENDER_TIMEOUT}ms\n{more}')
    for number, server in enumerate(servers, 1):
        configure(server, number)
    return servers


def fleet_run(server, *arguments):
    verb, *rest = arguments
    return run_program("fleet", verb, "-c", str(server.directory / "gatepost.conf"), *rest)


def status(server):
    """(exit status, {name: what it tells}, the whole)."""
    run = fleet_run(server, "status", "--json")
    assert run.returncode != ERROR, run.stderr
    told = json.loads(run.stdout)
    return run.returncode, {machine["machine"].partition(".")[0]: machine for machine in told["machines"]}, told


def wait_for_machines(server, *names):
    return wait_for(f"the records of {names}", lambda: (seen := status(server))[1].keys() == set(names) and seen)


def refused_mail(server, times):
    for number in range(times):
        with server.client() as client:
            client.command(f"EHLO {HELO}", 250)
            client.command(f"MAIL FROM:<{SENDER}>", 250)
            client.command(f"RCPT TO:<nobody{number}@isp.example>", 550)
            client.command("QUIT", 221)


def forge(redis, name, **changes):
    """A record that a machine could have written, with changes of it."""
    record = {"format": 1, "machine": name, "time_s": int(time.time()), "version": "0.1.0", "start_s": 1, "configuration": "0" * 12, "generation": 1,
              "in_force_s": 1, "sessions": 1, "accepted": 1, "refused": 0, "deferred": 0} | changes
    redis.ask("HSET", TABLE, name, json.dumps(record))


@case("three machines are alike in all but name and address; one that reloads another configuration is told apart, with what it refuses")
def canary(directory):
    web = free_port()
    with Redis(directory / "redis") as redis:
        servers = machines(directory, 3, redis)
        one, two, three = servers
        with running(servers):
            code, seen, told = wait_for_machines(one, "mx1", "mx2", "mx3")
            equal((code, told["configurations"], told["is_well"]), (WELL, 1, True), "alike")
            equal(told["file"], told["common"], "the file's digest")
            assert re.fullmatch("[0-9a-f]{12}", told["common"]), told
            equal({machine["shadow"] for machine in seen.values()}, {None}, "shadows")
            refused_mail(three, 2)
            configure(three, 3, "nobody_knows_this = 1")
            three.ask(signal.SIGHUP, "reload_failed")
            wait_for("the failure", lambda: "reload_failed" in status(one)[1]["mx3"], AT_ONCE)
            equal((status(one)[0], status(one)[1]["mx3"]["generation"]), (WELL, 1), "after a reload that failed")
            configure(three, 3, f'# a comment does not count, an option does\nhttp {{ listen = "127.0.0.1:{web}" }}')
            three.reload()
            wait_for("the other one", lambda: status(one)[0] == UNLIKE, AT_ONCE)
            refused_mail(three, 1)
            with three.client() as client:
                client.deliver(HEADER)
            wait_for("what it refused", lambda: [status(one)[1]["mx3"][name] for name in ("sessions", "accepted", "refused")] == [2, 1, 1],
                     25 * PATIENCE)
            code, seen, told = status(one)
            equal([seen[name]["is_other"] for name in ("mx1", "mx2", "mx3")], [False, False, True], "who is another")
            canary = seen["mx3"]
            equal((canary["generation"], canary["accepted"], canary["refused"], canary["refused_percent"]), (2, 1, 1, 50), "since it is in force")
            assert "reload_failed" not in canary, canary
            assert canary["in_force_since"] >= seen["mx1"]["in_force_since"], seen
            words = fleet_run(one, "status").stdout
            assert re.search(r"^mx3\.isp\.example .* [0-9a-f]{12}\* +2 ", words, re.M), words
            assert "3 machines, 2 configurations\n" in words, words
            assert f"mx3.isp.example runs another one ({canary['configuration']}): refuses 50.0 % and defers 0.0 %, the others 0.0 % and 0.0 %\n" in words, words
            assert words.endswith(f"gatepost.conf is {told['common']}, which 2 of them run\n"), words
            metrics = get(web, "/metrics").text()
            assert f'gatepost_configuration_info{{digest="{canary["configuration"]}"}} 1' in metrics, "no such metric"
            # Carried to the others.
            for number, server in ((1, one), (2, two)):
                configure(server, number, f'http {{ listen = "127.0.0.1:{free_port()}" }}')
                server.reload()
            wait_for("all alike", lambda: status(one)[0] == WELL, AT_ONCE)


@case("who has died is silent since then, and is forgotten by its name")
def silence(directory):
    with Redis(directory / "redis") as redis, running(machines(directory, 1, redis)) as (server,):
        wait_for_machines(server, "mx1")
        forge(redis, "mx9", time_s=int(time.time()) - 31)
        code, seen, _ = wait_for_machines(server, "mx1", "mx9")
        equal((code, seen["mx9"]["is_silent"], seen["mx1"]["is_silent"]), (UNLIKE, True, False), "one is silent")
        # Though each configuration has one machine, the one of who speaks is that of most.
        equal((seen["mx1"]["is_other"], seen["mx9"]["is_other"]), (False, True), "who is another")
        assert re.search(r"^mx9 .* silent since 20", fleet_run(server, "status").stdout, re.M)
        run = fleet_run(server, "forget", "mx9")
        equal((run.returncode, run.stdout), (WELL, "forgotten\n"), "forget")
        equal(status(server)[0], WELL, "without it")
        run = fleet_run(server, "forget", "mx9")
        assert run.returncode == UNLIKE and "there is no machine mx9" in run.stderr, run
        forge(redis, "mx8", time_s=int(time.time()) + 3600, configuration=status(server)[2]["common"])
        assert status(server)[0] == UNLIKE and " s ahead" in fleet_run(server, "status").stdout


@case("a record is written anew within some seconds, and one that a machine has not written is told as such and moves no terminal")
def lies(directory):
    with Redis(directory / "redis") as redis, running(machines(directory, 1, redis)) as (server,):
        wait_for_machines(server, "mx1")
        redis.ask("DEL", TABLE)
        equal(status(server)[0], UNLIKE, "nobody")
        wait_for_machines(server, "mx1")
        redis.ask("HSET", TABLE, "a", "garbage", "b", "[1]", "c", "x" * 100000, "d\x1b[2J\r\n", "{}", "e", '{"format":1}', "", "{}", "f" * 2000, "{}")
        forge(redis, "g", version="\x1b[31m")
        forge(redis, "h", configuration="no digest xx")
        forge(redis, "i", refused=-1)
        forge(redis, "j", sessions="many")
        forge(redis, "k", machine="mx1.isp.example")
        forge(redis, "l", format=2)
        forge(redis, "m", time_s=10**17)
        forge(redis, "n", shadow="000000000000", compared=7, unknown=3, refuses_more=2, refuses_less=1, defers_more=4)
        code, seen, told = status(server)
        faulty = [machine for machine in told["machines"] if "fault" in machine]
        equal((code, len(faulty), len(told["machines"])), (UNLIKE, 14, 16), "records")
        equal(seen["n"]["shadow"], {"configuration": "000000000000", "compared": 7, "unknown": 3, "refuses_more": 2, "refuses_less": 1, "defers_more": 4}, "a shadow")
        run = fleet_run(server, "status")
        words = run.stdout
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", words), words
        assert "l  " in words and "its format is not known to this version of gatepost" in words, words
        assert "000000000000 of 7: refuses 2 more, 1 less, defers 4 more, 3 unknown" in words and "16 machines, 2 configurations, 14 that cannot be read" in words, words
        # More than is read, in number and in octets, is an error that says what to do.
        for number in range(12):
            redis.ask("HSET", TABLE, *(word for at in range(100) for word in (f"many{number}.{at}", "x")))
        run = fleet_run(server, "status")
        assert run.returncode == ERROR and "too many machines in the table; when it is deleted" in run.stderr, run
        redis.ask("DEL", TABLE)
        for number in range(40):
            redis.ask("HSET", TABLE, f"large{number}", "x" * 100000)
        run = fleet_run(server, "status")
        assert run.returncode == ERROR and "the table of machines is too long; when it is deleted" in run.stderr, run
        redis.ask("DEL", TABLE)
        wait_for_machines(server, "mx1")
        redis.ask("DEL", TABLE)
        redis.ask("SET", TABLE, "no hash")
        run = fleet_run(server, "status")
        assert run.returncode == ERROR and "WRONGTYPE" in run.stderr, run


@case("each instance has each machine; with one of them away the others tell of all, and a machine that was told nothing there is told when it is back")
def instances(directory):
    with Redis(directory / "one") as first, Redis(directory / "two") as second:
        servers = machines(directory, 2, first, second)
        with running(servers):
            wait_for_machines(servers[0], "mx1", "mx2")
            wait_for("both at both", lambda: [redis.ask("HLEN", TABLE) for redis in (first, second)] == ["2", "2"])
            first.kill()
            code, seen, _ = status(servers[0])
            equal((code, sorted(seen)), (WELL, ["mx1", "mx2"]), "with one away")
            assert "Connection refused" in fleet_run(servers[0], "status").stderr
            first.start()
            first.ask("DEL", TABLE)
            wait_for("both told again", lambda: first.ask("HLEN", TABLE) == "2", 25 * PATIENCE)
            # Of two records the newer one counts, wherever it is.
            forge(second, "mx7", generation=3)
            forge(first, "mx7", generation=2, time_s=int(time.time()) - 20)
            equal(status(servers[0])[1]["mx7"]["generation"], 3, "the newer record")
        second.kill()
        first.kill()
        run = fleet_run(servers[0], "status")
        assert run.returncode == ERROR and run.stdout == "", run


@case("a user who may not write the record is told of once, and all else goes on; a Redis that hangs holds nobody up")
def rights(directory):
    (directory / "secret").write_text("right\n")
    (directory / "secret").chmod(0o600)
    allowed = "+get +mget +set +evalsha +eval +script|load +xadd +xread +role +ping".split()
    acl = ("--user", "default", "off", "--user", "gatepost", "on", ">right", "~gatepost:*", *allowed, "--user", "admin", "on", ">admin", "~*", "&*", "+@all")
    with Redis(directory / "redis", options=acl) as redis:
        admin = ("--user", "admin", "--no-auth-warning", "--pass", "admin")
        servers = machines(directory, 1, redis, more=f'sender_user = "gatepost"\nsender_password_file = "{directory}/secret"')
        with running(servers) as (server,):
            wait_for("the refusal", lambda: any("hset" in line["reason"].lower() for line in server.events("sender_refused")))
            run = fleet_run(server, "status")
            assert run.returncode == ERROR and "NOPERM" in run.stderr, run
            time.sleep(11)
            equal(len(server.events("sender_refused")), 1, "told once")
            equal(server.events("sender_lost"), [], "connections lost")
            with server.client() as client:
                client.deliver(HEADER)
            redis.ask(*admin, "ACL", "SETUSER", "gatepost", "+hset", "+hgetall", "+hdel")
            equal(status(server)[1], {}, "nobody")
            redis.process.send_signal(signal.SIGSTOP)
            try:
                server.reload()
                with server.client() as client:
                    client.deliver(HEADER)
                began = time.monotonic()
                server.stop()
                assert time.monotonic() - began < 5 * PATIENCE, "the stop waited"
            finally:
                redis.process.send_signal(signal.SIGCONT)


@case("without Redis, without the file and with a wrong call status and forget say so, with status 2")
def errors(directory):
    (server,) = fleet(directory, 1, "")
    for store in ("", f'sender_store = "lmdb:{directory}/state"'):
        server.write_configuration(options=store)
        for arguments in (["status"], ["forget", "x"]):
            run = fleet_run(server, *arguments)
            assert run.returncode == ERROR and "a fleet takes a store of senders in Redis" in run.stderr, run
    for arguments, expected in ((["fleet"], "status or forget is missing"), (["fleet", "x"], '"x" is neither status nor forget'),
                                (["fleet", "status"], "-c FILE is missing"), (["fleet", "status", "x", "-c", "x"], '"x" is not understood'),
                                (["fleet", "forget", "-c", "x"], "NAME is missing"), (["fleet", "forget", "-c", "x", "y", "--json"], "--json belongs to status"),
                                (["fleet", "status", "-c", str(directory / "none.conf")], "No such file")):
        run = run_program(*arguments)
        assert run.returncode == ERROR and expected in run.stderr.splitlines()[0], run


@case("a machine tells what another configuration would have decided there, while one judges beside")
def with_shadow(directory):
    with Redis(directory / "redis") as redis:
        (one,) = machines(directory, 1, redis, more='control = "control"\n')
        with running([one]):
            wait_for_machines(one, "mx1")
            new = one.directory / "new.conf"
            new.write_text((one.directory / "gatepost.conf").read_text() + "client_rate { mode = observe }\n")
            run = run_program("shadow", "start", "-c", str(new), "--share", "100%")
            equal(run.returncode, 0, run.stderr)
            refused_mail(one, 2)
            told = wait_for("its record", lambda: (seen := status(one)[1]["mx1"]["shadow"]) and seen["compared"] == 2 and seen)
            equal([told[name] for name in ("unknown", "refuses_more", "refuses_less", "defers_more")], [0] * 4, "changes")
            assert told["configuration"] != status(one)[1]["mx1"]["configuration"], told


if __name__ == "__main__":
    main()
