#!/usr/bin/env python3
"""The sandbox: what the program never does fails, is told and counted, or ends it. That it lets through what the program does is
shown by all other tests, in which it is on."""

import errno
import pathlib
import re
import signal
import subprocess
import sys

from common.dns_peers import ScriptedDns, framed
from common.harness import SANITIZE, SECONDS, Server, Skip, case, equal, main, need_program, wait_for

# Before rename(), by which a delivery thread files a message, accept4() of an acceptor and connect() of a thread for DNS: calls that
# nothing in the program makes. What came of each goes to a file, one line each.
SHIM = r"""
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static long execve_call(void) { char *none[] = {NULL}; return syscall(SYS_execve, "/bin/true", none, none); }
static long execveat_call(void) { char *none[] = {NULL}; return syscall(SYS_execveat, -1, "/bin/true", none, none, 0); }
static long ptrace_call(void) { return syscall(SYS_ptrace, PTRACE_SEIZE, getppid(), 0, 0); }
static long setuid_call(void) { return syscall(SYS_setuid, 0); }
static long bpf_call(void) { return syscall(SYS_bpf, 0, 0, 0); }
static long io_uring_call(void) { return syscall(425, 1, 0); }
static long memfd_call(void) { return syscall(SYS_memfd_create, "x", 0); }
static long unshare_call(void) { return syscall(SYS_unshare, CLONE_NEWUSER); }
static long kill_call(void) { return syscall(SYS_kill, getppid(), 0); }
static long packet_call(void) { return syscall(SYS_socket, AF_PACKET, SOCK_RAW, 0); }
static long dumpable_call(void) { return syscall(SYS_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0); }
static long other_limits_call(void) { return syscall(SYS_prlimit64, getppid(), 0, NULL, NULL); }
static long code_call(void) { return syscall(SYS_mmap, NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0L) == -1 ? -1 : 0; }
static long fork_call(void) { long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0); if (child == 0) _exit(0); return child; }
static long more_code_call(void)
{
        static char page[8192];
        return syscall(SYS_mprotect, ((unsigned long)page + 4095) & ~4095UL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
}

static const struct { const char *name; long (*call)(void); } calls[] = {
        {"execve", execve_call}, {"execveat", execveat_call}, {"ptrace", ptrace_call}, {"setuid", setuid_call}, {"bpf", bpf_call},
        {"io_uring_setup", io_uring_call}, {"memfd_create", memfd_call}, {"unshare", unshare_call}, {"kill", kill_call},
        {"socket", packet_call}, {"prctl", dumpable_call}, {"prlimit64", other_limits_call}, {"mmap", code_call},
        {"mprotect", more_code_call}, {"clone", fork_call},
};

static void probe(void)
{
        char thread[16] = "", line[64];
        const char *wanted = getenv("SHIM_THREAD");

        prctl(PR_GET_NAME, thread);
        if (strncmp(thread, wanted, strlen(wanted)) != 0)
                return;
        int out = open(getenv("SHIM_OUT"), O_WRONLY | O_CREAT | O_APPEND, 0600);
        for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
                if (strstr(getenv("SHIM_CALLS"), calls[i].name) == NULL)
                        continue;
                errno = 0;
                long result = calls[i].call();
                int length = snprintf(line, sizeof line, "%s %ld %d\n", calls[i].name, result, errno);
                if (write(out, line, (size_t)length) != length)
                        abort();
        }
        close(out);
}

int rename(const char *from, const char *to)
{
        probe();
        return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int accept4(int fd, struct sockaddr *address, socklen_t *length, int flags)
{
        probe();
        return syscall(SYS_accept4, fd, address, length, flags);
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
        probe();
        return syscall(SYS_connect, fd, address, length);
}
"""
CALLS = ["execve", "execveat", "ptrace", "setuid", "bpf", "io_uring_setup", "memfd_create", "unshare", "kill", "socket", "prctl",
         "prlimit64", "mmap", "mprotect"]


def shim(directory, server, calls, thread="delivery"):
    """A prefix for the server by which threads of this name make these calls again and again."""
    if SANITIZE:
        raise Skip("with sanitizers the sandbox only observes, and their libraries must come first")
    (directory / "shim.c").write_text(SHIM)
    subprocess.run([need_program("gcc"), "-shared", "-fPIC", "-O1", "-o", directory / "shim.so", directory / "shim.c"], check=True)
    return [need_program("env"), f"LD_PRELOAD={directory}/shim.so", f"SHIM_OUT={directory}/calls", f"SHIM_CALLS={' '.join(calls)}",
            f"SHIM_THREAD={thread}"]


def deliver(server):
    with server.client() as client:
        client.deliver(b"Subject: x\r\n")
        client.command("QUIT", 221)


def results(directory):
    rows = [line.split() for line in (directory / "calls").read_text().splitlines()]
    return {name: (int(result), int(error)) for name, result, error in rows}


@case("calls that the program never makes fail with EPERM in a delivery thread, each with a line in the log and counted; the mail comes")
def refused(directory):
    server = Server(directory)
    server.may_refuse_calls = True
    with server.start(shim(directory, server, [*CALLS, "clone"])):
        deliver(server)
        equal(results(directory), dict.fromkeys([*CALLS, "clone"], (-1, errno.EPERM)), "results")
        lines = wait_for("a line for each", lambda: len(server.events("call_refused")) >= len(CALLS) and server.events("call_refused"))
        equal(sorted(line["call"] for line in lines), sorted(CALLS), "calls")
        for line in lines:
            assert re.fullmatch(r"delivery-\d", line["thread"]) and line["count"] == 1 and line["number"] > 0, line
        equal(server.counters()["calls_refused"], len(CALLS), "calls_refused")
        equal(len(server.mails()), 1, "mails")
        equal(server.events("start")[0]["sandbox"], "enforce", "sandbox")


@case("in threads that take no signals, and where whoever starts the program has blocked them all, a refused call fails and is told")
def blocked(directory):
    block = [sys.executable, "-c", "import os, signal, sys\n"
             "signal.pthread_sigmask(signal.SIG_SETMASK, signal.valid_signals())\nos.execvp(sys.argv[1], sys.argv[1:])"]
    with ScriptedDns(lambda query, is_tcp, send: send(framed(query.negative()) if is_tcp else query.negative())) as dns:
        for thread, prefix in (("acceptor", []), ("resolver", []), ("delivery", block)):
            place = directory / thread
            place.mkdir()
            server = Server(place, f'acceptors = 1\nresolvers = {{"127.0.0.1:{dns.port}"}}\nsender_mx {{ mode = off }}\n')
            server.may_refuse_calls = True
            with server.start([*prefix, *shim(place, server, ["bpf"], thread)]):
                deliver(server)
                line = wait_for(f"a refusal in {thread}", lambda server=server: server.events("call_refused"))[0]
                equal((line["call"], line["thread"].split("-")[0]), ("bpf", thread), "refused")
                equal(len(server.mails()), 1, "mails")


@case("many refusals of one call are one line a second, and all counted")
def many(directory):
    server = Server(directory)
    server.may_refuse_calls = True
    with server.start(shim(directory, server, ["bpf"])):
        for _ in range(30):
            deliver(server)
        wait_for("all of them", lambda: sum(line["count"] for line in server.events("call_refused")) == 30)
        assert len(server.events("call_refused")) < 30, "a line for each"


@case("sandbox = kill: such a call ends the program, which says by what")
def killed(directory):
    server = Server(directory, options="sandbox = kill")
    server.start(shim(directory, server, ["ptrace"]))
    with server.client() as client:
        client.begin()
        client.raw(b"Subject: x\r\n.\r\n")
        equal(client.reply()[0], None, "no 250")
    equal(server.process.wait(SECONDS), -signal.SIGSYS, "status")
    found = re.search(r"gatepost: killed: the sandbox forbids the system call (\w+) \(\d+\)\n", server.stderr())
    assert found and found[1] == "ptrace", server.stderr()
    equal(server.mails(), [], "mails")


@case("sandbox = observe and off: the call is made, and nothing is counted")
def let_through(directory):
    for mode in ("observe", "off"):
        place = directory / mode
        place.mkdir()
        server = Server(place, options=f"sandbox = {mode}")
        with server.start(shim(place, server, ["memfd_create", "unshare"])):
            deliver(server)
            assert results(place)["memfd_create"][0] >= 0, results(place)
            equal(server.counters()["calls_refused"], 0, mode)
            status = pathlib.Path(f"/proc/{server.process.pid}/status").read_text()
            equal(re.search(r"^Seccomp:\t(.*)$", status, re.M)[1], "2" if mode == "observe" else "0", mode)
            equal(server.events("start")[0]["sandbox"], mode, "sandbox")


@case("a SIGSYS that somebody sends is no refusal")
def sent(directory):
    with Server(directory) as server:
        wait_for("the server", lambda: server.events("ready"))  # it listens before it heeds the signal
        server.signal(signal.SIGSYS)
        deliver(server)
        equal(server.counters()["calls_refused"], 0, "calls_refused")


if __name__ == "__main__":
    main()
