#!/usr/bin/env python3
"""STARTTLS octet for octet: segments, records, ends and floods, each with the end that it is to have."""

import re
import signal
import socket
import ssl
import time

from common.harness import SECONDS, Client, Server, case, equal, free_port, main, wait_for, without_trace
from common.messages import HEADER
from common.tls import TlsClient, context, make_certificate, tls_options

BOTH = (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)


def tls_server(directory, options="", tls="", **server):
    return Server(directory, tls_options(directory, tls) + options, **server)


def secure(server, tls_context=None, **options):
    """A client whose TLS stands; nothing is said in it yet."""
    client = TlsClient(server.port, **options)
    client.command("EHLO client.example.com", 250)
    return client.starttls(tls_context)


def session(server, number=1):
    """The log line of the session of this number."""
    wait_for(f"{number} sessions in the log", lambda: len(server.sessions()) >= number)
    return server.sessions()[number - 1]


@case("a mail over TLS 1.2 and 1.3: log, Received, and close_notify behind the last word")
def mail(directory):
    with tls_server(directory) as server:
        for number, version in enumerate(BOTH, 1):
            with secure(server, context(version)) as client:
                client.deliver(HEADER + b"sealed\r\n")
                client.command("QUIT", 221)
                equal(client.rest(), (b"", "close_notify"), "the end")
            found = session(server, number)
            equal(found["tls"]["version"], ("TLSv1.2", "TLSv1.3")[number - 1], "version in the log")
            equal(found["end"], "quit", "end")
        for text in server.mails():
            assert text.endswith(b"sealed\r\n"), text


main()
