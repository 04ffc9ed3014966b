#!/usr/bin/env python3
"""The store of senders in several Redis that know nothing of each other: each has a share, and loses no other's. A user, a password in
a file, and a reload to another store."""

import contextlib
import os
import re
import signal
import urllib.request

from common.daemons.redis import FakeRedis
from common.fleet import Redis, fleet, running, wait_until_reachable
from common.harness import Server, case, equal, free_port, main, run_program, wait_for
from common.senders import (ANSWERED_IN, SENDER_TIMEOUT, Load, connect, greylist, harvest, mail, named, options, seconds_left,
                            wait_until_refused)

SENDERS = [f"{named(number)}@example.net" for number in range(24)]


@contextlib.contextmanager
def instances(directory, count, **more):
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Redis(directory / f"redis{number}", **more)) for number in range(count)]


def store_of(instances):
    return "redis://" + "|".join(redis.endpoint for redis in instances)


def wait_until_all_serve(server, count):
    wait_for("all instances", lambda: len({line["instance"] for line in server.events("sender_reachable")}) == count)


def known(server):
    """The senders that are deferred; all others pass."""
    codes = {sender: mail(server, sender)[0] for sender in SENDERS}
    assert set(codes.values()) <= {250, 451}, codes
    return {sender for sender in SENDERS if codes[sender] == 451}


def share_of(redis):
    """The senders whose records this Redis has."""
    texts = [redis.ask("--raw", "GETRANGE", name, "16", "-1") for name in redis.records()]
    return {sender for sender in SENDERS if any(sender in text for text in texts)}


@case("one of three dies, and one hangs: their shares do without, the others go on, and each is told of by its name")
def one_down(directory):
    http = free_port()
    with instances(directory, 3) as all_three:
        server = Server(directory, options(store_of(all_three)) + f'\nhttp {{ listen = "127.0.0.1:{http}" }}')
        with server:
            wait_until_all_serve(server, 3)
            # Each question is about the client as well: who has that share stays, for without it everybody passes.
            greylist(server, "allow", "127.0.0.1")
            all_three.sort(key=lambda redis: len(redis.records()), reverse=True)
            greylist(server, "forget", "127.0.0.1")
            equal(known(server), set(SENDERS), "deferred at first")
            wait_for("all records", lambda: sum(len(redis.records()) for redis in all_three) == len(SENDERS))
            shares = [share_of(redis) for redis in all_three]
            assert all(shares) and sum(map(len, shares)) == len(SENDERS), shares
            equal(len(greylist(server, "list").splitlines()), len(SENDERS), "listed by the subcommand")
            all_three[1].kill()
            wait_for("the loss", lambda: [line for line in server.events("sender_lost") if line["instance"] == all_three[1].endpoint])
            equal(known(server), set(SENDERS) - shares[1], "deferred without the second")
            all_three[2].process.send_signal(signal.SIGSTOP)
            try:
                with Load(server, 3) as load:
                    wait_for("load", lambda: len(load.codes) > 60)
                equal(load.faults, [], "sessions that went wrong")
                assert load.slowest < ANSWERED_IN, load.slowest
                equal(known(server), shares[0], "deferred without the second and the third")
                with urllib.request.urlopen(f"http://127.0.0.1:{http}/metrics", timeout=ANSWERED_IN) as answer:
                    metrics = answer.read().decode()
                equal([f'sender_redis_reachable{{redis="{redis.endpoint}"}} {is_up}' in metrics
                       for redis, is_up in zip(all_three, (1, 0, 0))], [True] * 3, "what metrics tell")
            finally:
                all_three[2].process.send_signal(signal.SIGCONT)
            all_three[1].start()
            wait_for("all again", lambda: known(server) == set(SENDERS))
            unknown = set().union(*(share_of(redis) for redis in all_three)) ^ set(SENDERS)
            equal(unknown, set(), "records that are lost")
            status = greylist(server, "forget", "127.0.0.1")
            assert status.endswith(" forgotten\n"), status


@case("a second server with the instances in another order finds the same records; a name that comes twice is an error")
def reordered(directory):
    with instances(directory, 3) as all_three:
        one, two = fleet(directory, 2, options(store_of(all_three)))
        two.options = options(store_of(all_three[::-1]))
        two.write_configuration()
        with running([one, two]):
            for server in (one, two):
                wait_until_all_serve(server, 3)
            equal(known(one), set(SENDERS), "deferred at first")
            wait_for("all records", lambda: sum(len(redis.records()) for redis in all_three) == len(SENDERS))
            equal(known(two), set(SENDERS), "deferred at the other")
            equal(sum(len(redis.records()) for redis in all_three), len(SENDERS), "records")
            wait_for("early retries", lambda: len([line for line in two.sessions() if "came back too early" in str(line)]) == len(SENDERS))
    one.write_configuration(options=options(store_of([all_three[0], all_three[0]])))
    run = run_program("check-config", "-c", str(one.directory / "gatepost.conf"))
    assert run.returncode == 1 and re.search(r"gatepost\.conf:\d+: error: sender_store: names an instance twice", run.stderr), run


@case("shared rates reach the others while one of two instances is away")
def rates(directory):
    with instances(directory, 2) as both:
        servers = fleet(directory, 2, options(store_of(both)) +
                        "\nclient_rate { mode = enforce shared = yes unknown_recipients = 5/10m penalty = 1h }")
        with running(servers):
            for server in servers:
                wait_until_all_serve(server, 2)
            for number, redis in enumerate([None, *both], 1):
                source = f"127.0.{number}.1"
                if redis is not None:
                    redis.kill()
                    wait_for("the loss", lambda: all(
                        line["instance"] == redis.endpoint for server in servers for line in server.events("sender_lost")[-1:]))
                equal(harvest(servers[0], source, 6)[-1], 421, "the sixth guess")
                wait_until_refused(servers[1], source)
                if redis is not None:
                    for server in servers:
                        (server.directory / "stderr").write_text("")
                    redis.start()
                    wait_until_reachable(servers)


@case("a reload of the store counts shared rates once: neither what a server told itself nor what it has heard comes again")
def rates_over_reloads(directory):
    limits = "\nclient_rate { mode = enforce shared = yes unknown_recipients = 5/1h penalty = 1h }"

    with instances(directory, 2) as both:
        servers = fleet(directory, 2, options(store_of(both[:1])) + limits)
        with running(servers):
            wait_until_reachable(servers)
            equal(harvest(servers[0], "127.0.1.1", 3)[-1], 550, "the third guess")
            equal(harvest(servers[0], "127.0.2.1", 6)[-1], 421, "the sixth guess of another")
            wait_until_refused(servers[1], "127.0.2.1")
            # Another instance beside it, and then another time: what was told stays what it was.
            for number, store in enumerate((store_of(both), store_of(both), store_of(both[:1])), 1):
                for server in servers:
                    server.write_configuration(options=options(store).replace(f"{SENDER_TIMEOUT}ms", f"{SENDER_TIMEOUT + number}ms") + limits)
                    server.reload()
                    wait_for("the change", lambda: len(server.events("sender_store_changed")) == number)
                equal(harvest(servers[0], f"127.1.{number}.1", 6)[-1], 421, "the sixth guess")
                wait_until_refused(servers[1], f"127.1.{number}.1")
            for server in servers:
                assert connect(server, "127.0.1.1") != 421, server
            equal(harvest(servers[1], "127.0.1.1", 2)[-1], 550, "the fifth guess, two of them at the other server")
            equal(harvest(servers[1], "127.0.1.1", 1)[-1], 421, "the sixth")


# ---- users and reloads -------------------------------------------------------------------------------------------

def user(password):
    """One who may do what conf/README.md says, and one for the test."""
    allowed = "+get +mget +set +evalsha +eval +script|load +xadd +xread +hset +role +ping +scan +del"
    return ("--user", "default", "off", "--user", "gatepost", "on", f">{password}", "~gatepost:*", *allowed.split(),
            "--user", "admin", "on", ">admin", "~*", "&*", "+@all")


def write_secret(path, text):
    path.write_text(text + "\n")
    path.chmod(0o640)


@case("a user and a password from a file: what is wrong is told, and a reload takes another one up without a restart")
def password(directory):
    secret = directory / "secret"
    write_secret(secret, "wrong")
    with Redis(directory / "redis", options=user("right")) as redis:
        more = '\nsender_user = "gatepost"\nsender_password_file = "secret"'
        server = Server(directory, options(f"redis://{redis.endpoint}") + more)
        with server:
            wait_for("the refusal", lambda: any("it does not let us in (user, password): WRONGPASS" in line["reason"]
                                                for line in server.events("sender_refused")))
            equal(mail(server, "zero@example.net")[0], 250, "without the store")
            assert "WRONGPASS" in run_program("greylist", "list", "-c", str(directory / "gatepost.conf")).stderr
            write_secret(secret, "right")
            server.reload()
            wait_until_reachable([server])
            wait_for("the change", lambda: server.events("sender_store_changed"))
            seconds_left(mail(server, "one@example.net"))
            wait_for("the record", lambda: "one@example.net" in greylist(server, "list"))
            # The password changes there, then here; the connection that stands is good meanwhile.
            ask = ("--user", "admin", "--no-auth-warning", "--pass", "admin")
            equal(redis.ask(*ask, "ACL", "SETUSER", "gatepost", ">next", "<right"), "OK", "the change there")
            seconds_left(mail(server, "two@example.net"))
            write_secret(secret, "next")
            server.reload()
            wait_for("the second change", lambda: len(server.events("sender_store_changed")) == 2)
            seconds_left(mail(server, "three@example.net"))
            equal(server.events("restart_needed"), [], "options that take a restart")
            server.reload()
            equal(len(server.events("sender_store_changed")), 2, "changes by a reload that changes nothing")
            os.chmod(secret, 0o644)
            server.ask(signal.SIGHUP, "reload_failed")
            seconds_left(mail(server, "four@example.net"))
    server.write_configuration(options=options("redis://127.0.0.1:1") + '\nsender_user = "gatepost"')
    run = run_program("check-config", "-c", str(directory / "gatepost.conf"))
    assert run.returncode == 1 and re.search(r"gatepost\.conf:\d+: error: sender_user: needs sender_password_file too", run.stderr), run


@case("a password that nobody has asked for does no harm")
def needless_password(directory):
    write_secret(directory / "secret", "needless")
    with Redis(directory / "redis") as redis:
        with Server(directory, options(f"redis://{redis.endpoint}") + '\nsender_password_file = "secret"') as server:
            wait_until_reachable([server])
            seconds_left(mail(server, "one@example.net"))
            wait_for("the record", lambda: "one@example.net" in greylist(server, "list"))


@case("a line without an end, and arrays in arrays without number, end the connection")
def endless(directory):
    for name, says, reason in (("line", b"+" + b"x" * 1_500_000, "too long"), ("arrays", b"*1\r\n" * 60_000, "too long|nested")):
        (directory / name).mkdir()
        with FakeRedis({None: says}) as redis, Server(directory / name, options(f"redis://{redis.endpoint}")) as server:
            event = wait_for("the event", lambda: server.events("sender_unreachable"))[0]
            assert re.search(reason, event["reason"]), event


@case("reloads to other stores and back under load: each question is answered")
def other_stores(directory):
    with instances(directory, 3) as (one, two, three):
        stores = [store_of(part) for part in ([two], [one, two], [three, one, two], [one])]
        with Server(directory, options(store_of([one]))) as server:
            wait_until_reachable([server])
            with Load(server, 3) as load:
                wait_for("load", lambda: len(load.codes) > 20)
                for number in range(12):
                    server.write_configuration(options=options(stores[number % len(stores)]))
                    server.reload()
                    wait_for("the change", lambda: len(server.events("sender_store_changed")) == number + 1)
                    count = len(load.codes)
                    wait_for("load", lambda: len(load.codes) > count + 10)
            equal((set(load.codes), load.faults), ({451}, []), "answers")
            # One that cannot be reached is in force all the same after a while; and lmdb: takes a restart.
            server.write_configuration(options=options(f"redis://127.0.0.1:{free_port()}"))
            server.reload()
            wait_for("the change", lambda: len(server.events("sender_store_changed")) == 13)
            equal(mail(server, "last@example.net")[0], 250, "without the store")
            server.write_configuration(options=options("lmdb:state"))
            server.reload()
            wait_for("the warning", lambda: [line["option"] for line in server.events("restart_needed")] == ["sender_store"])


if __name__ == "__main__":
    main()
