"""Runs a command as a unit would restrict it: ``python -m tests.deploy.sandbox UNIT COMMAND…``.

systemd starts nothing where it is not the first process, as in most CI. What of a unit
could break the product is done here by the same means, libseccomp: SystemCallFilter,
MemoryDenyWriteExecute, RestrictNamespaces, RestrictAddressFamilies; and no new
privileges, no capabilities, UMask, the limits of files and core dumps. Mounts
(ProtectSystem, ProcSubset, PrivateTmp) are not made. Linux only.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from tests.deploy.units import only, unit

#: libseccomp's constants (seccomp.h).
ALLOW, MASKED_EQUAL, EQUAL = 0x7FFF0000, 7, 4
#: prctl(2) and sched.h.
PR_SET_NO_NEW_PRIVS, PR_CAPBSET_DROP = 38, 24
NEW_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000,
                  0x40000000, 0x00000080)  # fmt: skip
SHM_EXEC = 0o100000

_libc = ctypes.CDLL(None, use_errno=True)


def _refuse(number: int) -> int:
    """Return the action that makes a call fail with an error."""
    return 0x00050000 | number


class _Compare(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


@dataclass(frozen=True)
class Rule:
    """An action for a system call, if an argument compares so."""

    action: int
    call: str
    compare: tuple[int, int, int, int] | None = None


def load(default: int, rules: Iterable[Rule]) -> None:
    """Load a filter into this process, for good."""
    seccomp = ctypes.CDLL("libseccomp.so.2")
    seccomp.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(seccomp.seccomp_init(ctypes.c_uint32(default)))
    assert context.value
    for rule in rules:
        number = seccomp.seccomp_syscall_resolve_name(rule.call.encode())
        if number < 0:  # a call of another processor
            continue
        compare = (_Compare * 1)(_Compare(*rule.compare)) if rule.compare else None
        done = seccomp.seccomp_rule_add_array(
            context, ctypes.c_uint32(rule.action), number, 1 if compare else 0, compare
        )
        assert done == 0, f"{rule.call}: {os.strerror(-done)}"
    assert seccomp.seccomp_load(context) == 0


def calls_of(names: Iterable[str]) -> set[str]:
    """Return the system calls of names and groups (``@system-service``), as systemd has them."""
    found: set[str] = set()
    for name in names:
        if not name.startswith("@"):
            found.add(name)
            continue
        command = ["systemd-analyze", "--no-pager", "syscall-filter", name]
        told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        members = [line.strip() for line in told.splitlines()[1:]]
        found |= calls_of(member for member in members if member and member[0] != "#")
    return found


def system_calls(options: dict[str, list[str]]) -> list[Rule]:
    """Return what SystemCallFilter allows."""
    allowed: set[str] = set()
    for line in options["SystemCallFilter"]:
        names = calls_of(line.removeprefix("~").split())
        allowed = allowed - names if line.startswith("~") else allowed | names
    # systemd always allows these (seccomp-util.c): whoever is filtered must be able to start.
    allowed |= calls_of(["@default", "execve"])
    return [Rule(ALLOW, call) for call in sorted(allowed)]


def no_executable_memory() -> list[Rule]:
    """Return the rules of MemoryDenyWriteExecute."""
    both, no = mmap.PROT_WRITE | mmap.PROT_EXEC, _refuse(errno.EPERM)
    return [
        Rule(no, "mmap", (2, MASKED_EQUAL, both, both)),
        Rule(no, "mprotect", (2, MASKED_EQUAL, mmap.PROT_EXEC, mmap.PROT_EXEC)),
        Rule(no, "pkey_mprotect", (2, MASKED_EQUAL, mmap.PROT_EXEC, mmap.PROT_EXEC)),
        Rule(no, "shmat", (2, MASKED_EQUAL, SHM_EXEC, SHM_EXEC)),
    ]


def no_namespaces() -> list[Rule]:
    """Return the rules of RestrictNamespaces; clone3's arguments cannot be seen."""
    no = _refuse(errno.EPERM)
    flags = [
        Rule(no, call, (0, MASKED_EQUAL, flag, flag))
        for call in ("unshare", "clone")
        for flag in NEW_NAMESPACES
    ]
    return [Rule(_refuse(errno.ENOSYS), "clone3"), Rule(no, "setns"), *flags]


def families(allowed: str) -> list[Rule]:
    """Return the rules of RestrictAddressFamilies."""
    kept = {int(getattr(socket, name)) for name in allowed.split()}
    no = _refuse(errno.EAFNOSUPPORT)
    return [Rule(no, "socket", (0, EQUAL, n, 0)) for n in range(46) if n not in kept]


def confine(name: str) -> None:
    """Hold this process to the restrictions of a unit, for good."""
    options = unit(name)
    os.umask(int(only(options, "UMask"), 8))
    for limit, kind in (("NOFILE", resource.RLIMIT_NOFILE), ("CORE", resource.RLIMIT_CORE)):
        value = int(only(options, f"Limit{limit}"))
        resource.setrlimit(kind, (value, value))
    if os.geteuid() == 0:  # others have none
        assert only(options, "CapabilityBoundingSet") == ""
        for capability in range(64):
            _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    assert _libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0
    calls = system_calls(options)
    optional: tuple[tuple[str, Callable[[], list[Rule]]], ...] = (
        ("MemoryDenyWriteExecute", no_executable_memory),
        ("RestrictNamespaces", no_namespaces),
    )
    for option, rules in optional:
        assert only(options, option) == "yes"
        load(ALLOW, rules())
    load(ALLOW, families(only(options, "RestrictAddressFamilies")))
    assert only(options, "SystemCallErrorNumber") == "EPERM"
    load(_refuse(errno.EPERM), calls)


if __name__ == "__main__":
    confine(sys.argv[1])
    os.execvp(sys.argv[2], sys.argv[2:])
