"""JupyterLab starts at the repository, without a news window, with what the user asks."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mdcv.grading.lab import lab_command, run_lab


def test_the_command_points_at_the_repository_and_the_users_options_win(toy):
    command = lab_command(toy, Path("/settings"), ["--port=9999", "--no-browser"])
    assert command[1:3] == ["-m", "jupyterlab"]
    assert f"--ServerApp.root_dir={toy.root.parent}" in command
    assert "--LabApp.app_settings_dir=/settings" in command
    assert command[-2:] == ["--port=9999", "--no-browser"]


def test_news_are_switched_off_in_a_settings_file(toy, monkeypatch):
    seen = {}

    def run(command, **options):
        folder = next(a.partition("=")[2] for a in command if "app_settings_dir" in a)
        seen.update(json.loads(Path(folder, "overrides.json").read_text()))
        return type("Done", (), {"returncode": 3})

    monkeypatch.setattr("mdcv.grading.lab.subprocess.run", run)
    assert run_lab(toy, []) == 3
    assert seen["@jupyterlab/apputils-extension:notification"]["fetchNews"] == "false"


@pytest.mark.grading
def test_jupyterlab_takes_the_options(toy, capfd):
    assert run_lab(toy, ["--version"]) == 0
    assert capfd.readouterr().out.strip()[0].isdigit()
