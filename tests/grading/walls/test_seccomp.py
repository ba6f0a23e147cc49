"""The deny list, run by a small interpreter of its instructions, on both processors."""

from __future__ import annotations

import re
import struct
from errno import ENOSYS, EPERM
from pathlib import Path

import pytest

from mdcv.grading.walls import seccomp, syscalls

ALLOW, KILL = "allow", "kill"
ARCHITECTURE = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


@pytest.fixture(params=[0, 1], ids=["x86_64", "aarch64"])
def machine(request, monkeypatch):
    """The filter as it would be made on this processor."""
    name = ("x86_64", "aarch64")[request.param]
    monkeypatch.setattr(syscalls, "MACHINE", name)
    monkeypatch.setattr(syscalls, "_COLUMN", request.param)
    return name


def verdict(name: str | int, *arguments: int, alone: bool = False, architecture=None):
    """What the kernel would do at a call: let it pass, kill, or answer with an error number."""
    number = syscalls.number(name) if isinstance(name, str) else name
    padded = [*arguments, 0, 0, 0, 0, 0, 0][:6]
    architecture = architecture or ARCHITECTURE[syscalls.MACHINE]
    data = struct.pack("=iIQ6Q", number, architecture, 0, *(a & (1 << 64) - 1 for a in padded))
    code, place, value = seccomp.program(alone=alone, own_pid=4711), 0, 0
    while True:
        operation, if_true, if_false, operand = code[place]
        place += 1
        if operation == 0x20:
            (value,) = struct.unpack_from("=I", data, operand)
        elif operation == 0x54:
            value &= operand
        elif operation == 0x15:
            place += if_true if value == operand else if_false
        elif operation == 0x25:
            place += if_true if value > operand else if_false
        elif operation == 0x06:
            return {0x7FFF: ALLOW, 0x8000: KILL}.get(operand >> 16, operand & 0xFFFF)
        else:
            raise AssertionError(f"no such operation: {operation:#x}")


def test_what_is_on_the_list_is_refused(machine):
    names = [name for name in seccomp.REFUSED if syscalls.number(name) is not None]
    assert len(names) > 60
    passed = [n for n in names if (verdict(n), verdict(n, alone=True)) != (EPERM, EPERM)]
    assert passed == []


def test_what_is_not_on_the_list_passes(machine):
    numbers = set(range(syscalls.NEWEST)) - {syscalls.number(name) for name in syscalls.NUMBERS}
    assert len(numbers) > 250
    assert [number for number in numbers if verdict(number, alone=True) != ALLOW] == []


def test_calls_of_another_architecture_kill(machine):
    assert verdict(1, architecture=0x40000003) == KILL


def test_newer_calls_and_those_of_x32_do_not_exist(machine):
    assert verdict(syscalls.NEWEST) == ALLOW
    assert verdict(syscalls.NEWEST + 1) == verdict(0x40000000 + 101) == ENOSYS
    assert verdict("clone3") == ENOSYS


def test_threads_and_forks_pass_and_new_namespaces_do_not(machine):
    assert verdict("clone", 0x3D0F00) == verdict("clone", 17) == ALLOW
    for bit in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert verdict("clone", bit | 17) == EPERM
    assert verdict("clone", 0x8000 | 17) == EPERM


def test_sockets_in_an_empty_network_are_plain_and_alone_there_are_none(machine):
    assert [verdict("socket", family) for family in (1, 2, 10, 16)] == [ALLOW] * 4
    assert [verdict("socket", family) for family in (17, 38, 40, 31)] == [EPERM] * 4
    assert [verdict("socket", family, alone=True) for family in (1, 2, 16, 40)] == [EPERM] * 4
    assert verdict("connect", 5, alone=True) == EPERM


def test_pairs_are_connected_for_good(machine):
    for flags in (0, 0o2000000, 0o4000):
        assert verdict("socketpair", 1, 1 | flags) == verdict("socketpair", 1, 5 | flags) == ALLOW
        assert verdict("socketpair", 1, 2 | flags) == EPERM
    assert verdict("socketpair", 2, 1) == EPERM


def test_alone_only_its_own_process_can_be_signalled(machine):
    assert verdict("kill", 4711, 9, alone=True) == verdict("kill", 0, 2, alone=True) == ALLOW
    assert verdict("kill", 4712, 0, alone=True) == verdict("kill", -1, 0, alone=True) == EPERM
    assert verdict("tgkill", 4711, 4712, 6, alone=True) == ALLOW
    assert verdict("tgkill", 4712, 4712, 6, alone=True) == EPERM
    assert verdict("kill", 4712, 9) == ALLOW  # in a namespace there is nobody else


def test_alone_only_its_own_process_can_be_limited_and_slowed(machine):
    assert verdict("prlimit64", 0, 7, alone=True) == ALLOW
    assert verdict("prlimit64", 1, 7, alone=True) == EPERM
    assert verdict("sched_setaffinity", 4711, alone=True) == ALLOW
    assert verdict("sched_setaffinity", 1, alone=True) == EPERM
    assert verdict("setpriority", 0, 0, 5, alone=True) == ALLOW
    assert verdict("setpriority", 0, 1, 5, alone=True) == EPERM
    assert verdict("setpriority", 2, 0, 5, alone=True) == EPERM  # everything of the user


def test_alone_modes_and_times_stay_and_nobody_is_told(machine):
    for name in seccomp.IDLE_ALONE:
        if syscalls.number(name) is not None:
            assert verdict(name, alone=True) == 0 and verdict(name) == ALLOW


def test_alone_a_file_is_not_emptied_by_reading_it(machine):
    read, write, truncate = 0, 1, 0x200
    assert verdict("openat", -100, 0, read, alone=True) == ALLOW
    assert verdict("openat", -100, 0, write | truncate, alone=True) == ALLOW
    assert verdict("openat", -100, 0, read | truncate, alone=True) == EPERM
    assert verdict("openat2", alone=True) == ENOSYS


def test_signals_through_files_and_typing_into_terminals_are_refused(machine):
    assert verdict("fcntl", 3, 1) == verdict("fcntl", 3, 1030) == ALLOW
    assert [verdict("fcntl", 3, command) for command in (8, 10, 15, 1024, 1026)] == [EPERM] * 5
    assert verdict("ioctl", 0, 0x5401) == ALLOW
    for request in (0x5412, 0x541C, 0x8901, 0x8902, 0x5412 | 1 << 32):
        assert verdict("ioctl", 0, request) == EPERM


@pytest.mark.parametrize(
    ("column", "header"),
    [(0, "x86_64-linux-gnu/asm/unistd_64.h"), (1, "asm-generic/unistd.h")],
)
def test_the_numbers_are_those_of_the_kernels_headers(column, header):
    path = Path("/usr/include", header)
    if not path.exists():
        pytest.skip(f"{path} is not here")
    found = dict(re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", path.read_text()))
    known = {name: numbers[column] for name, numbers in syscalls.NUMBERS.items() if name in found}
    assert len(known) > 100
    assert known == {name: int(found[name]) for name in known}


def test_names_are_unique_and_numbers_too():
    for column in (0, 1):
        numbers = [pair[column] for pair in syscalls.NUMBERS.values() if pair[column] is not None]
        assert len(set(numbers)) == len(numbers)
