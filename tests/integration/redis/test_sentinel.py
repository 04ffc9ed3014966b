#!/usr/bin/env python3
"""The store of senders behind redis-sentinel: a replica is promoted under load, by a death and by an order; sentinels that lie."""

import contextlib
import re
import urllib.request

from common.daemons.listening import GO_AWAY, HANG
from common.daemons.redis import FakeRedis, bulk, master_at
from common.fleet import Redis, Sentinel, wait_until_reachable
from common.harness import PATIENCE, SANITIZE, Server, case, equal, free_port, main, run_program, wait_for
from common.senders import ANSWERED_IN, Load, greylist, mail, options, seconds_left

NAME, KNOWN = "senders", "known@example.net"


def store_of(sentinels, name=NAME):
    return f"redis+sentinel://{','.join(sentinel.endpoint for sentinel in sentinels)}/{name}"


@contextlib.contextmanager
def world(directory, sentinels=3):
    """A master, its replica, and sentinels that know of it."""
    with contextlib.ExitStack() as stack:
        master = stack.enter_context(Redis(directory / "master"))
        replica = stack.enter_context(Redis(directory / "replica", options=("--replicaof", "127.0.0.1", str(master.port))))
        wait_for("the replica's link", lambda: "\nconnected\n" in replica.ask("ROLE"))
        watchers = [stack.enter_context(Sentinel(directory / f"sentinel{number}", master, NAME, sentinels // 2 + 1))
                    for number in range(sentinels)]
        for watcher in watchers:
            wait_for("a sentinel that knows all", lambda: all(
                f"{what}\n{count}\n" in watcher.ask("SENTINEL", "MASTER", NAME) + "\n"
                for what, count in (("num-slaves", 1), ("num-other-sentinels", sentinels - 1))))
        yield master, replica, watchers


def page(server, port, path):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=ANSWERED_IN) as answer:
        return answer.read().decode()


def changes(server):
    return [(line["instance"], line["former"], line["server"]) for line in server.events("sender_server_changed")]


def is_remembered(server):
    """The greylist knows this sender still."""
    left = seconds_left(mail(server, KNOWN))
    wait_for("an early retry", lambda: "came back too early" in (server.directory / "log").read_text())
    assert left <= 3600, left


@case("the master dies under load: a replica is promoted and followed, what is remembered goes on, and it is told")
def death(directory):
    http = free_port()
    with world(directory) as (master, replica, watchers):
        server = Server(directory, options(store_of(watchers)) + f'\nhttp {{ listen = "127.0.0.1:{http}" }}')
        with server:
            wait_until_reachable([server])
            seconds_left(mail(server, KNOWN))
            wait_for("the record at the replica", lambda: len(replica.records()) >= 1)
            with Load(server) as load:
                wait_for("load", lambda: len(load.codes) > 20)
                master.kill()
                wait_for("the change", lambda: changes(server), 30 * PATIENCE)
                count = len(load.codes)
                wait_for("load after it", lambda: len(load.codes) > count + 20)
            equal(load.faults, [], "sessions that went wrong")
            equal(set(load.codes) - {250, 451}, set(), "answers")
            assert load.slowest < ANSWERED_IN, load.slowest
            equal(set(load.codes[-10:]), {451}, "answers at the end")
            equal(changes(server), [(NAME, master.endpoint, replica.endpoint)], "changes in the log")
            is_remembered(server)
            assert KNOWN in greylist(server, "list")
            metrics = page(server, http, "/metrics")
            for row in (f'sender_redis_reachable{{redis="{NAME}"}} 1', f'sender_redis_server_changes_total{{redis="{NAME}"}} 1',
                        f'sender_redis_server_info{{redis="{NAME}",server="{replica.endpoint}"}} 1'):
                assert row in metrics, (row, metrics[-3000:])
            shown = page(server, http, "/")
            assert "Store of senders" in shown and replica.endpoint in shown


@case("a replica is promoted by order under load: all questions are answered but for a blink, and back again")
def order(directory):
    with world(directory) as (master, replica, watchers), Server(directory, options(store_of(watchers))) as server:
        wait_until_reachable([server])
        seconds_left(mail(server, KNOWN))
        for former, latter in ((master, replica), (replica, master)):
            wait_for("the record there", lambda: former.records() and former.records() <= latter.records())
            with Load(server) as load:
                wait_for("load", lambda: len(load.codes) > 20)
                wait_for("the order", lambda: watchers[0].ask("SENTINEL", "FAILOVER", NAME) == "OK", 30 * PATIENCE)
                wait_for("the change", lambda: (NAME, former.endpoint, latter.endpoint) in changes(server), 30 * PATIENCE)
            equal(load.faults, [], "sessions that went wrong")
            equal(set(load.codes) - {250, 451}, set(), "answers")
            assert load.slowest < ANSWERED_IN, load.slowest
            is_remembered(server)
            wait_for("the roles", lambda: (former.role(), latter.role()) == ("slave", "master"))
            wait_for("the sentinels' quiet", lambda: "failover" not in watchers[0].ask("SENTINEL", "MASTER", NAME).split("\n")[9])


@case("all sentinels die: the last known master stays, and is found again after its restart")
def alone(directory):
    with world(directory, 1) as (master, _, watchers), Server(directory, options(store_of(watchers))) as server:
        wait_until_reachable([server])
        watchers[0].kill()
        wait_for("the complaint", lambda: server.events("sender_sentinel_failed"))
        seconds_left(mail(server, "one@example.net"))
        (server.directory / "stderr").write_text("")
        master.kill()
        equal(mail(server, "two@example.net")[0], 250, "without the store")
        master.start()
        wait_until_reachable([server])
        seconds_left(mail(server, "three@example.net"))


def lies(master, replica):
    """What a sentinel may say, and a word of the reason that is told. None: nothing has to be told of the sentinel."""
    return [
        ({"SENTINEL": master_at("127.0.0.1", 0)}, b"", "no address and port"),
        ({"SENTINEL": master_at("127.0.0.1", 65536)}, b"", "no address and port"),
        ({"SENTINEL": master_at("localhost", master.port)}, b"", "no address and port"),
        ({"SENTINEL": b"*-1\r\n"}, b"", "knows no such master"),
        ({"SENTINEL": b"*3\r\n:1\r\n:2\r\n$-1\r\n"}, b"", "no address and port"),
        ({"SENTINEL": b"-IDONTKNOW \x1b[31m\r\n"}, b"", "IDONTKNOW \x1b[31m"),
        ({"SENTINEL": b"HTTP/1.1 400 Bad Request\r\n\r\n"}, b"", "Protocol error"),
        ({"SENTINEL": b"*2000000000\r\n"}, b"", "too long"),
        ({"SENTINEL": b"*2\r\n" + (b"*50000\r\n" + b":1\r\n" * 50000) * 2}, b"", "too long"),
        ({"SENTINEL": b"$2000000000\r\n" + b"x" * 6000000}, b"", "too long"),
        ({"SENTINEL": master_at("127.0.0.1", master.port) + b"+OK\r\n:1\r\n"}, b"", "nobody has asked"),
        ({"SENTINEL": master_at("127.0.0.1", master.port)}, b"+OK\r\n+OK\r\n*1\r\n:1\r\n", "no address and port"),
        ({"SENTINEL": HANG}, b"", "no answer"),
        ({"SENTINEL": GO_AWAY}, b"", "closed the connection"),
        ({"SENTINEL": master_at("127.0.0.1", replica.port)}, b"", None),
    ]


@case("sentinels that lie, hang or talk too much are passed over, and the server lives on")
def liars(directory):
    with world(directory, 1) as (master, replica, watchers):
        for number, (answers, greeting, reason) in enumerate(lies(master, replica)):
            folder = directory / f"mx{number}"
            folder.mkdir()
            with FakeRedis(answers, greeting) as liar, Server(folder, options(store_of([liar, *watchers]))) as server:
                wait_until_reachable([server])
                seconds_left(mail(server, KNOWN))
                wait_for("who serves", lambda: server.events("sender_reachable"))  # behind what is told of the sentinel
                told = [line["reason"] for line in server.events("sender_sentinel_failed")]
                # With a sanitizer six megabytes are not read in its time.
                reasons = {reason, "no answer"} if SANITIZE else {reason}
                assert reason is None or any(each in line for line in told for each in reasons), (reason, told)
                equal([line["server"] for line in server.events("sender_reachable")], [master.endpoint], "who serves")
                assert "\x1b" not in server.stderr(), "a terminal is told what a sentinel wants"


def check_loop(directory, names_itself):
    directory.mkdir()
    with FakeRedis({}) as one, FakeRedis({}) as two:
        one.answers["SENTINEL"] = master_at("127.0.0.1", one.port if names_itself else two.port)
        two.answers["SENTINEL"] = master_at("127.0.0.1", one.port)
        with Server(directory, options(store_of([one] if names_itself else [one, two]))) as server:
            began, before = server.cpu_seconds(), one.connections + two.connections
            with Load(server, 1) as load:
                wait_for("some tries", lambda: len(load.codes) > 200 or one.connections + two.connections > before + 5)
            equal((set(load.codes), load.faults), ({250}, []), "answers without a store")
            refused = server.events("sender_refused") + server.events("sender_unreachable")
            assert refused, server.log()
            assert server.cpu_seconds() - began < 10 * PATIENCE
        # At first some in a second, then one each second or two.
        assert one.connections + two.connections < 60, (one.connections, two.connections)


@case("a sentinel that names itself, and two that name each other, cost few connections and no session")
def loops(directory):
    check_loop(directory / "itself", True)
    check_loop(directory / "each-other", False)


@case("a master whom nobody promoted is not written to: sentinels tell of a replica, and another tells the truth later")
def replica_only(directory):
    with world(directory, 1) as (master, replica, _), FakeRedis({"SENTINEL": master_at("127.0.0.1", replica.port)}) as liar:
        with Server(directory, options(store_of([liar]))) as server:
            wait_for("the refusal", lambda: any("no master" in line["reason"] for line in server.events("sender_refused")))
            equal(server.events("sender_reachable"), [], "who serves")
            liar.answers["SENTINEL"] = master_at("127.0.0.1", master.port)
            wait_until_reachable([server])
            # The liar names the replica again: what serves is left only for a master.
            liar.answers["SENTINEL"] = master_at("127.0.0.1", replica.port)
            asked = len(liar.asked)
            with Load(server, 1) as load:
                wait_for("the lie", lambda: len(liar.asked) > asked + 3)
            equal((set(load.codes), load.faults), ({451}, []), "answers meanwhile")


@case("a candidate that is refused takes nothing from the master that serves: neither its connection nor the secret of the keys")
def stranger(directory):
    answers = {"ROLE": b"*1\r\n" + bulk("slave"), "SET": b"+OK\r\n", "SCRIPT": bulk("0" * 40)}
    with Redis(directory / "master") as master, FakeRedis(answers) as other:
        with FakeRedis({"SENTINEL": master_at("127.0.0.1", master.port)}) as liar, Server(directory, options(store_of([liar]))) as server:
            wait_until_reachable([server])
            seconds_left(mail(server, KNOWN))
            wait_for("the record", master.records)
            records = master.records()
            liar.answers["SENTINEL"] = master_at("127.0.0.1", other.port)
            for number, secret in enumerate((b"$-1\r\n", b"-NOPERM\r\n", bulk("x" * 32)), 1):
                other.answers["GET"] = secret
                count = other.connections
                # The next but one is asked after the one before it has been refused.
                wait_for("connections", lambda: other.connections > count + 2)
                seconds_left(mail(server, KNOWN))
                wait_for("an early retry", lambda: (server.directory / "log").read_text().count("came back too early") == number)
            equal(master.records(), records, "records of the same sender")
            equal([line["server"] for line in server.events("sender_reachable")], [master.endpoint], "who serves")
            equal(server.events("sender_lost"), [], "what is lost")


@case("check-config tells of forms that are wrong, and of sentinels that cannot be reached")
def configuration(directory):
    server = Server(directory, options(f"redis+sentinel://127.0.0.1:{free_port()}/{NAME}"))
    path = str(directory / "gatepost.conf")
    run = run_program("check-config", "-c", path)
    assert run.returncode == 0 and "no sentinel can be reached" in run.stderr, run
    for store in (f"redis+sentinel://127.0.0.1:1", "redis+sentinel://127.0.0.1:1/", "redis+sentinel:///x", "redis+sentinel://127.0.0.1:1/a b",
                  "redis+sentinel://localhost:1/x"):
        server.write_configuration(options=options(store))
        run = run_program("check-config", "-c", path)
        assert run.returncode == 1 and re.search(r"gatepost\.conf:\d+: error: sender_store: redis\+sentinel:// needs", run.stderr), run


if __name__ == "__main__":
    main()
