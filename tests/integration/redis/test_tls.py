#!/usr/bin/env python3
"""The store of senders by TLS: certificates that are verified and such that are not, and a library that has no TLS."""

from common.fleet import Redis, wait_until_reachable
from common.harness import Server, Skip, case, free_port, main, run_program, wait_for
from common.senders import greylist, mail, options, seconds_left
from common.tls import make_certificate


def check(directory, store):
    Server(directory, options(store))
    return run_program("check-config", "-c", str(directory / "gatepost.conf"))


def need_tls(directory):
    if "built with a hiredis that has no TLS" in check(directory, "rediss://127.0.0.1:1").stderr:
        raise Skip("the program was built without hiredis_ssl")


def tls_redis(directory, name, hosts):
    """A Redis that speaks nothing but TLS, and shows a certificate for these."""
    certificate, key = make_certificate(directory, name, hosts=hosts)
    port = free_port()
    return Redis(directory / f"redis-{name}", port, options=(
        "--port", "0", "--tls-port", str(port), "--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", certificate,
        "--tls-auth-clients", "no"))


@case("a program without TLS to Redis says so; one with it wants the file of certificates")
def configuration(directory):
    run = check(directory, "rediss://127.0.0.1:1")
    if "no server can be reached" not in run.stderr:
        assert run.returncode == 1 and "error: sender_store: rediss: this program was built with a hiredis" in run.stderr, run
        return
    server = Server(directory, options("rediss://127.0.0.1:1") + '\nsender_tls_ca = "missing.pem"')
    run = run_program("serve", "--as-root", "-c", str(server.directory / "gatepost.conf"))
    assert run.returncode == 1 and "missing.pem" in run.stderr, run


@case("the certificate's address or name is verified, also by the subcommand; others are refused and told")
def verified(directory):
    need_tls(directory)
    with tls_redis(directory, "address", ("127.0.0.1",)) as by_address, tls_redis(directory, "name", ("redis.isp.example",)) as by_name:
        server = Server(directory, options(f"rediss://{by_address.endpoint}") + '\nsender_tls_ca = "address.pem"')
        with server:
            wait_until_reachable([server])
            seconds_left(mail(server, "one@example.net"))
            wait_for("the record", lambda: "one@example.net" in greylist(server, "list"))
            # Signed by none of these.
            server.write_configuration(options=options(f"rediss://{by_name.endpoint}") + '\nsender_tls_ca = "address.pem"')
            server.reload()
            wait_for("the refusal", lambda: any("its certificate" in line["reason"] for line in server.events("sender_unreachable")))
            # Known, and for another name than the address.
            (server.directory / "log").write_text("")
            server.write_configuration(options=options(f"rediss://{by_name.endpoint}") + '\nsender_tls_ca = "name.pem"')
            server.reload()
            wait_for("the refusal", lambda: any("its certificate" in line["reason"] for line in server.events("sender_unreachable")))
            more = '\nsender_tls_ca = "name.pem"\nsender_tls_name = "redis.isp.example"'
            (server.directory / "stderr").write_text("")
            server.write_configuration(options=options(f"rediss://{by_name.endpoint}") + more)
            server.reload()
            wait_until_reachable([server])
            seconds_left(mail(server, "two@example.net"))
            wait_for("the record", lambda: "two@example.net" in greylist(server, "list"))


@case("a Redis without TLS, and TLS without being asked for it, are told and hold nobody up")
def mixed(directory):
    need_tls(directory)
    with tls_redis(directory, "address", ("127.0.0.1",)) as secure, Redis(directory / "plain") as plain:
        for number, store in enumerate((f"redis://{secure.endpoint}", f"rediss://{plain.endpoint}")):
            folder = directory / f"mx{number}"
            folder.mkdir()
            with Server(folder, options(store) + f'\nsender_tls_ca = "{directory}/address.pem"') as server:
                wait_for("the trouble", lambda: server.events("sender_unreachable") + server.events("sender_refused"))
                assert mail(server, "one@example.net")[0] == 250


if __name__ == "__main__":
    main()
