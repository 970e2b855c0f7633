import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from emu import resources
from emu.cli import checks
from emu.errors import BadImage
from tests.cli.conftest import Command

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def test_this_computer_can_run_textpoke(textpoke: Command) -> None:
    said = textpoke("doctor")
    assert said.status == 0, said.out
    lines = said.out.decode().splitlines()
    assert lines[-1] == "textpoke can run here"
    assert all(re.match(r"(ok|note) ", line) for line in lines[:-1])


def test_what_is_required_and_missing_is_status_2(
    textpoke: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> Path:
        raise BadImage("toy.elf is missing")

    monkeypatch.setattr(resources, "toy", missing)
    said = textpoke("doctor", "--json")
    assert said.status == 2
    found = json.loads(said.out)
    assert not found["ok"]
    (bad,) = [check for check in found["checks"] if check["state"] == checks.BAD]
    assert bad["name"] == "toy kernel"
    assert bad["detail"] == "toy.elf is missing"


@pytest.mark.parametrize(
    ("need", "state", "detail", "advice"),
    [
        (checks.Need("no-such", ">=1", "x"), checks.BAD, "not installed", "pip install"),
        (checks.Need("no-such", ">=1", "x", "it"), checks.NOTE, "not installed", "it is unavail"),
        (checks.Need("numpy", ">=99", "numpy"), checks.BAD, ">=99 is needed", "pip install"),
        (checks.Need("numpy", ">=1", "no_such_module"), checks.BAD, "cannot be imported", "pip"),
        (checks.Need("numpy", ">=1", "numpy"), checks.OK, "", ""),
    ],
)
def test_a_package_is_missing_wrong_broken_or_fine(
    need: checks.Need, state: str, detail: str, advice: str
) -> None:
    found = checks.package(need)
    assert found.state == state
    assert detail in found.detail
    assert advice in found.advice


@pytest.mark.parametrize(
    ("versions", "version", "accepted"),
    [
        ("==2.1.4", "2.1.4", True),
        ("==2.1.4", "2.1.4.post1", True),
        ("==2.1.4", "2.1.3", False),
        (">=2.0,<3", "2", True),
        (">=2.0,<3", "2.4.6", True),
        (">=2.0,<3", "3.0", False),
        (">=5.0.6,<6", "5.0.10", True),
        (">=5.0.6,<6", "5.0", False),
        (">=1", "garbage", False),
    ],
)
def test_versions(versions: str, version: str, accepted: bool) -> None:
    assert checks.accepts(versions, version) == accepted


def test_the_doctor_asks_for_what_pyproject_asks_for() -> None:
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    lines = [*project["dependencies"], *project["optional-dependencies"]["gui"]]
    environment: dict[str, str] = {"platform_machine": "x86_64"}  # evaluated on top of the own
    wanted = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, lines)
        if requirement.marker is None or requirement.marker.evaluate(environment)
    }
    asked = {
        need.package: Requirement(need.package + need.versions).specifier for need in checks.NEEDS
    }
    assert asked == wanted


@pytest.mark.parametrize("cc", ["", "nocc -O1", "'"])
def test_a_missing_compiler_is_only_a_note(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cc: str
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CC", cc)
    (found,) = [check for check in checks.all_checks() if check.name == "C compiler"]
    assert (found.state, found.detail) == (checks.NOTE, f"{cc or 'gcc'} is not here")
    assert found.advice == "only patches in C need it"


def test_the_kernel_that_is_kept_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def said() -> tuple[str, str]:
        (found,) = [check for check in checks.all_checks() if check.name == "Linux kernel"]
        return found.state, found.detail

    assert said() == (checks.NOTE, "none is kept")
    (tmp_path / "textpoke" / "linux").mkdir(parents=True)
    (tmp_path / "textpoke" / "linux" / "linux-image-6.1_amd64.deb").touch()
    assert said() == (checks.OK, "linux-image-6.1_amd64.deb")
