"""environment.yml, pyproject.toml, constraints.txt and the Makefile tell one story."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from pathlib import Path

import yaml
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def extras_asked(line: str) -> set[str]:
    """The extras in `-e .[a,b]`."""
    return set(re.fullmatch(r"-e \.\[([\w,]+)\]", line).group(1).split(","))


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pairs = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {re.sub(r"[-_.]+", "-", name).lower(): version for name, version in pairs}


def requirements() -> list[Requirement]:
    groups = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [Requirement(line) for group in groups for line in group]
    return [requirement for requirement in found if requirement.name != "mdcv"]


def test_conda_environment_names_python_pip_and_this_package_only():
    python, pip, ours = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert python == f"python{PROJECT['requires-python']}"
    assert pip == "pip"
    assert list(ours) == ["pip"] and len(ours["pip"]) == 1
    assert extras_asked(ours["pip"][0]) <= set(PROJECT["optional-dependencies"])


def test_makefile_installs_the_same_extras():
    line = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"][2]["pip"][0]
    assert f"'{line.removeprefix('-e ')}'" in (ROOT / "Makefile").read_text()


def test_every_requirement_is_pinned_within_its_bound():
    pinned = pins()
    for requirement in requirements():
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in pinned, f"{name} is not in constraints.txt"
        assert pinned[name] in requirement.specifier, (
            f"{name}: {pinned[name]} against {requirement}"
        )


def test_pins_carry_no_local_suffix_and_no_hash():
    assert not [v for v in pins().values() if "+" in v or " " in v]


def test_torch_bounds_are_the_promised_ones():
    bound = next(r for r in requirements() if r.name == "torch")
    assert str(bound.specifier) == ">=2.11"
    assert pins()["torch"].startswith("2.13.")
    assert PROJECT["requires-python"] == ">=3.11"


def test_installed_version_is_the_declared_one():
    assert importlib.metadata.version("mdcv") == PROJECT["version"]
