"""A gatepost of our own to attack: every check on, every limit of time short, few of them generous."""

import contextlib
import os
import pathlib
import shutil

from attacks import names
from attacks.target import Target
from common.harness import PATIENCE, SANITIZE, Server, free_port
from common.tls import tls_options

IDLE_SECONDS = 5 * PATIENCE
TEXT_SECONDS = 8 * PATIENCE
DNS_SECONDS = 2 + 3 * PATIENCE
CONNECTIONS_MAX = 4000
MESSAGE_SIZE_MAX = 4 << 20
# Clients of this network may name others by PROXY.
BALANCERS = "127.30.0.0/16"
BALANCER = "127.30.0.1"
# Clients of this network are known (client_rate.exempt), whom the ladder of load serves first.
KNOWN = "127.21"
# Mailboxes that an operator may have, and whose names must not lead out of the folder of the mail.
ODD_MAILBOXES = ('"../../odd"', "%d/%u/odd", "~odd", "new")


def options(dns_port, proxy_port):
    return f"""resolvers = {{"127.0.0.1:{dns_port}"}}
workers = 2
acceptors = 1
delivery_threads = 4
proxy_listen = {{"127.0.0.1:{proxy_port}"}}
proxy_networks = {{"{BALANCERS}"}}
idle_timeout = {IDLE_SECONDS}s
data_timeout = {IDLE_SECONDS}s
text_time_max = {TEXT_SECONDS}s
dns_timeout = {DNS_SECONDS}s
dns_question_timeout = {DNS_SECONDS - 1}s
dns_attempt_timeout = 1s
connections_max = {CONNECTIONS_MAX}
client_memory_max = 64M
message_size_max = {MESSAGE_SIZE_MAX}
recipients_max = 500
log_interval = 0ms
generations_max = 200
sender_store = "lmdb:senders"
dnsbl {{ threshold = 1  zone "{names.LIST}" {{ answers = {{"127.0.0.[2..11]"}} }} }}
greylist {{ mode = observe }}
helo_name {{ mode = enforce }}
dynamic_client {{ mode = observe }}
client_rate {{ mode = enforce  exempt = {{"{KNOWN}.0.0/16"}} }}
"""


@contextlib.contextmanager
def own_target(directory, is_short):
    """Yields the Target. The server must have ended with status 0, and without a sanitizer's report, when this is left."""
    directory = pathlib.Path(directory)
    os.chmod(directory, 0o755)
    proxy_port = free_port()
    with names.world() as dns_port:
        tls = tls_options(directory, f"handshake_timeout = {IDLE_SECONDS}s") if shutil.which("openssl") else ""
        server = Server(directory, options(dns_port, proxy_port) + tls, recipients=("alice", "bob", *ODD_MAILBOXES))
        with server:
            yield Target(server.host, server.port, "alice@isp.example", maildir=directory / "mail", log=directory / "log",
                         server=server, proxy_port=proxy_port, is_short=is_short, pid=server.process.pid, patience=PATIENCE,
                         known=KNOWN)


def counts_memory():
    """Sanitizers keep what was freed."""
    return not SANITIZE
