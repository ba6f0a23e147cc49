"""Owners of machines without walls are told what to do."""

from __future__ import annotations

import os

import pytest

from mdcv.grading.walls import syscalls
from mdcv.grading.walls.advice import advice


@pytest.fixture
def system(tmp_path, monkeypatch):
    """An ordinary user's Linux that allows everything; returns a way to write its files."""
    monkeypatch.setattr(syscalls, "SUPPORTED", True)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    def write(name, text=""):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")

    for name, value in (("user/max_user_namespaces", 5), ("kernel/unprivileged_userns_clone", 1)):
        write(f"proc/sys/{name}", str(value))
    write.root = tmp_path
    return write


def test_a_machine_that_allows_everything_needs_no_advice(system):
    assert advice(system.root, lambda: 7) == []


def test_an_old_kernel_is_named(system):
    [sentence] = advice(system.root, lambda: 0)
    assert os.uname().release in sentence and "5.13" in sentence


@pytest.mark.parametrize(
    ("switch", "value", "command"),
    [
        ("user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
        ("kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        (
            "kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "kernel.apparmor_restrict_unprivileged_userns=0",
        ),
    ],
)
def test_a_switch_that_forbids_comes_with_its_command(system, switch, value, command):
    system(f"proc/sys/{switch}", value)
    [sentence] = advice(system.root, lambda: 7)
    assert command in sentence and "root" in sentence


def test_root_needs_no_switch(system, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    system("proc/sys/user/max_user_namespaces", "0")
    assert advice(system.root, lambda: 7) == []


def test_a_container_is_recognized(system):
    system(".dockerenv")
    [sentence] = advice(system.root, lambda: 7)
    assert "container" in sentence


def test_other_systems_are_sent_to_linux(system, monkeypatch):
    monkeypatch.setattr(syscalls, "SUPPORTED", False)
    [sentence] = advice(system.root, lambda: 0)
    assert "Linux" in sentence
