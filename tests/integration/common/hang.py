"""Threads of a running server that hang, as in a system call on a dead disk: they are traced, and stopped. Nothing of the program
takes part in it."""

import contextlib
import ctypes
import os
import pathlib
import platform
import time

from common.harness import Skip, equal, thread_names, wait_for

PTRACE_SEIZE, PTRACE_INTERRUPT, PTRACE_DETACH, PTRACE_SYSCALL, PTRACE_GETEVENTMSG = 0x4206, 0x4207, 17, 24, 0x4201
TRACE_CLONE, EVENT_CLONE = 8, 3
WAIT_ALL = 0x40000000  # __WALL: of threads too
NUMBERS = {"x86_64": {"sendto": 44, "epoll_ctl": 233}, "aarch64": {"sendto": 206, "epoll_ctl": 21}}
LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def threads(process, prefix):
    """The kernel's numbers of the threads whose names begin so; "main" is the one whose name is the program's."""
    if prefix == "main":
        return [process.pid]
    return [number for number, name in thread_names(process).items() if name.startswith(prefix)]


def trace(request, thread, data=None):
    if LIBC.ptrace(request, thread, None, data) != 0:
        raise Skip(f"threads cannot be traced here: {os.strerror(ctypes.get_errno())}")


def is_asleep(process, thread):
    """As one is that has nothing to do, and neither works nor waits for a disk."""
    return pathlib.Path(f"/proc/{process.pid}/task/{thread}/stat").read_text().rpartition(")")[2].split()[0] == "S"


def hang(server, prefix):
    """Stops these threads for good, once they have nothing to do: those that may hold a lock of malloc are stopped by hang_at_file()
    instead. The process can be waited for with wait_hanging() alone."""
    stopped = threads(server.process, prefix)
    assert stopped, f"no thread {prefix}"
    wait_for(f"{prefix} at rest", lambda: all(is_asleep(server.process, thread) for thread in stopped))
    for thread in stopped:
        trace(PTRACE_SEIZE, thread)
        trace(PTRACE_INTERRUPT, thread)
        os.waitpid(thread, WAIT_ALL)
    return stopped


def system_call(process, thread):
    """The words of the system call in which a stopped thread is: its number, and its arguments."""
    return pathlib.Path(f"/proc/{process.pid}/task/{thread}/syscall").read_text().split()


def is_at_file(process, thread, path):
    """Whether the system call in which a stopped thread is has a descriptor of this file as its first argument."""
    words = system_call(process, thread)
    with contextlib.suppress(OSError):
        return len(words) > 3 and os.readlink(f"/proc/{process.pid}/fd/{int(words[1], 16)}") == str(path)
    return False


def begun_by_main(server, trigger):
    """The next thread that the main thread begins, which `trigger` leads to, stopped before it has done anything: however fast it is, and
    however slow this process, it is not over before it is seen."""
    main = server.process.pid
    trace(PTRACE_SEIZE, main, TRACE_CLONE)
    trigger()
    status = os.waitpid(main, WAIT_ALL)[1]
    assert status >> 16 == EVENT_CLONE, f"the main thread has begun none: {status:#x}"
    number = ctypes.c_ulong()
    trace(PTRACE_GETEVENTMSG, main, ctypes.byref(number))
    os.waitpid(number.value, WAIT_ALL)
    trace(PTRACE_DETACH, main)
    return number.value


def hang_at_file(server, path, trigger):
    """Stops the thread that `trigger` makes the main thread begin in its first system call on the file, as a dead disk would. Anywhere
    else it may hold the lock of a malloc arena, of which there are fewer than threads, and who shares that arena would hang with it, which
    no disk does."""
    wait_for("the server", lambda: server.events("ready"))  # what it begins by itself is over
    thread = begun_by_main(server, trigger)
    return go_on_until([thread], lambda thread: is_at_file(server.process, thread, path))


def hang_at_call(server, name, call, trigger):
    """The same in its next system call of this name, which `trigger` leads to."""
    number = str(NUMBERS[platform.machine()][call])
    return hang_when(server, name, lambda thread: system_call(server.process, thread)[0] == number, trigger)


def hang_when(server, name, is_there, trigger):
    stopped = hang(server, name)
    trigger()
    return go_on_until(stopped, is_there)


def go_on_until(stopped, is_there):
    [thread] = stopped
    while not is_there(thread):
        trace(PTRACE_SYSCALL, thread)
        status = os.waitpid(thread, WAIT_ALL)[1]
        assert os.WIFSTOPPED(status), "the thread has ended before"
    return stopped


def release(stopped):
    """They go on."""
    for thread in stopped:
        trace(PTRACE_DETACH, thread)


def wait_hanging(server, stopped, seconds):
    """Waits until the process has ended, hanging threads and all; returns its status and how long it took."""
    began = time.monotonic()
    while server.process.poll() is None:
        for thread in stopped:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(thread, os.WNOHANG | WAIT_ALL)
        if time.monotonic() - began > seconds:
            server.kill()
            raise AssertionError(f"the process has not ended in {seconds} s")
        time.sleep(0.02)
    return server.process.returncode, time.monotonic() - began


def expect_end(server, stopped, status, seconds):
    found, took = wait_hanging(server, stopped, seconds)
    reports = "".join(path.read_text() for path in server.directory.glob("sanitizer.*"))
    assert not reports, f"sanitizer: {reports[:6000]}"
    equal(found, status, f"exit status (stderr {server.stderr()[-2000:]})")
    return took
