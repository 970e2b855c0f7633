"""textpoke gui: every option arrives, and what cannot be is refused before Qt starts."""

import os
import subprocess
import sys
import tomllib
import types
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from emu import resources
from emu.cli import main as command
from emu.lab import Lab, boot
from emu.lab.linux import Linux
from emu.lab.linux_scenario import LinuxScenario
from emu.lab.scenario import FUNCTION, SECOND, Scenario
from emu.moves.plan import PHASES
from emu.moves.schedule import Schedule
from gui import host
from gui.start import Start
from gui.verb import gui

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "resources" / "schedules"


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> list[Start]:
    """The window is never opened; here is what it was asked to begin with."""
    starts: list[Start] = []

    def main(start: Start) -> int:
        starts.append(start)
        return 7

    window = types.ModuleType("gui.app")
    window.main = main  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "gui.app", window)
    monkeypatch.setattr(host, "prepare", lambda *, offscreen: None)  # noqa: ARG005
    monkeypatch.setitem(command._VERBS, "gui", gui)
    return starts


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """We stand in a folder with nothing but new.s."""
    (tmp_path / "new.s").write_text("{}")
    monkeypatch.chdir(tmp_path)


def start(begun: list[Start], *words: object) -> Start:
    """Return what the window begins with for these words; its status is the command's."""
    assert command.main(["gui", *map(str, words)]) == 7
    return begun.pop()


def refusal(begun: list[Start], capfd: pytest.CaptureFixture[str], *words: object) -> str:
    """Return the one line that is said to these words; the window was not begun."""
    assert command.main(["gui", *map(str, words)]) == 2
    assert not begun
    said = capfd.readouterr()
    assert said.out == ""
    (line,) = said.err.splitlines()
    assert line.startswith("textpoke: ")
    return line


# --- what arrives ---------------------------------------------------------------------------------


def test_without_options_it_is_the_demo(begun: list[Start]) -> None:
    assert start(begun) == Start(Scenario())


def test_every_option_arrives(begun: list[Start], tmp_path: Path) -> None:
    picture, source = tmp_path / "a.PNG", tmp_path / "new.s"
    source.write_text("ret\n")
    words = ["--screenshot", picture, "--at", "sync1", "--size", "1920x1080", "--theme", "dark"]
    words += ["--layout", "projector", "--break", "sync2", "--model", "observed", "--seed", 0]
    words += ["--cores", 8, "--function", "vfs_read", "--function", SECOND, "--with", source]
    assert start(begun, *words) == Start(
        Scenario(
            functions=("vfs_read", SECOND),
            sources=(str(source),),
            broken="sync2",
            model="observed",
            seed=0,
            cores=8,
        ),
        schedule=None,
        screenshot=picture,
        at="sync1",
        size=(1920, 1080),
        theme="dark",
        layout="projector",
    )


@pytest.mark.parametrize("phase", PHASES)
def test_one_can_stand_at_each_phase(begun: list[Start], phase: str) -> None:
    assert start(begun, "--at", phase).at == phase


@pytest.mark.parametrize("size", ["640x360", "7680x4320"])
def test_the_smallest_and_the_largest_size(begun: list[Start], size: str) -> None:
    found = start(begun, "--size", size).size
    assert found is not None
    assert "{}x{}".format(*found) == size


def test_a_recorded_run_says_what_it_was_made_of(begun: list[Start]) -> None:
    file = RECORDED / "sync1-observed.json"
    begin = start(begun, file)
    schedule = Schedule.read(file)
    assert begin.schedule == schedule
    assert begin.scenario.broken is None
    assert begin.scenario.cores == schedule.machine.cores
    assert begin.scenario.model == "observed"
    assert isinstance(begin.scenario, Scenario)
    assert begin.scenario.append == schedule.machine.command_line


@pytest.mark.parametrize("model", ["sdm", "coherent"])
def test_a_break_alone_is_shown_by_its_recorded_run(begun: list[Start], model: str) -> None:
    begin = start(begun, "--break", "int3", "--model", model)
    assert begin.schedule == Schedule.read(RECORDED / f"int3-{model}.json")
    assert (begin.scenario.broken, begin.scenario.model) == ("int3", model)


@pytest.mark.parametrize(
    "words", [("--seed", 1), ("--cores", 3), ("--function", FUNCTION), ("--with", __file__)]
)
def test_a_break_with_a_run_of_its_own_is_not_recorded(
    begun: list[Start], words: tuple[object, ...]
) -> None:
    assert start(begun, "--break", "int3", *words).schedule is None


def test_a_picture_is_made_without_a_display(
    begun: list[Start], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(host, "prepare", lambda *, offscreen: asked.append(offscreen))
    start(begun)
    start(begun, "--screenshot", tmp_path / "a.png")
    assert asked == [False, True]
    assert not list(tmp_path.iterdir())


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--at", "sync9"], "--at': 'sync9' is none of arm, int3, sync1, tail, "),
        (["--theme", "blue"], "--theme': 'blue' is none of light, dark"),
        (["--layout", "wall"], "--layout': 'wall' is none of desktop, projector"),
        (["--size", "big"], "--size 'big' is not a size: 1280x720 is"),
        (["--size", "1280X720"], "is not a size"),
        (["--size", "-1x720"], "is not a size"),
        (["--size", "\u0661280x720"], "is not a size"),
        (["--size", "123456x720"], "is not a size"),
        (["--size", "639x720"], "--size 639x720 is not between 640x360 and 7680x4320"),
        (["--size", "1280x359"], "is not between"),
        (["--size", "7681x720"], "is not between"),
        (["--size", "1280x4321"], "is not between"),
        (["--break", "sync9"], "no break 'sync9': there are arm, int3, "),
        (["--break", ""], "no break ''"),
        (["--model", "pdp11"], "no fetch model 'pdp11': there are coherent, observed, "),
        (["--model", ""], "no fetch model ''"),
        (["--seed", "-1"], "--seed'"),
        (["--seed", str(1 << 64)], "--seed'"),
        (["--cores", "0"], "--cores'"),
        (["--cores", "9"], "--cores'"),
        (["--function", "cmdline_proc_shwo"], "did you mean cmdline_proc_show"),
        (["--function", "vfs_read"], "no replacement for vfs_read comes with textpoke"),
        (["--with", "none.s"], "'none.s' does not exist"),
        (["--screenshot", "a.jpg"], "a.jpg: the picture is a PNG"),
        (["--screenshot", "none/a.png"], "none/a.png: there is no folder"),
        (["none.json"], "none.json: No such file or directory"),
        (["new.s"], "new.s: not a schedule"),
        (["one", "two"], "unexpected extra argument"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_refused_in_one_line(
    begun: list[Start], capfd: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert says in refusal(begun, capfd, *words)


@pytest.mark.parametrize(
    "words",
    [
        ["--break", "int3"],
        ["--model", "sdm"],
        ["--seed", "0"],
        ["--cores", "4"],
        ["--function", FUNCTION],
        ["--with", __file__],
    ],
)
def test_a_recorded_run_cannot_be_made_otherwise(
    begun: list[Start], capfd: pytest.CaptureFixture[str], words: list[str]
) -> None:
    said = refusal(begun, capfd, RECORDED / "int3-sdm.json", *words)
    assert "says how its run goes: leave out --break" in said


def test_a_run_of_another_kernel_does_not_fit(
    begun: list[Start], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    other, file = tmp_path / "other.elf", tmp_path / "run.json"
    other.write_bytes((ROOT / "kernels" / "toy" / "toy.elf").read_bytes() + b"\0")
    lab: Lab = boot(other, cores=1)
    lab.run(instructions=1)
    lab.schedule().write(file)
    assert "the schedule is for other.elf" in refusal(begun, capfd, file)
    fitting = start(begun, file, "--image", other)
    assert isinstance(fitting.scenario, Scenario)
    assert fitting.scenario.image == str(other)
    assert fitting.schedule == Schedule.read(file)
    assert start(begun, "--image", other).scenario == Scenario(image=str(other), append="")
    words = ("--image", other, "--append", "load tick=0")
    assert start(begun, *words).scenario == Scenario(image=str(other), append="load tick=0")


def test_a_picture_where_none_can_be_written(
    begun: list[Start], capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "a.png").mkdir()
    assert "not a file" in refusal(begun, capfd, "--screenshot", tmp_path / "a.png")


# --- how it is found, and what it loads -----------------------------------------------------------


def test_the_verb_is_registered() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["textpoke.verbs"]["gui"].partition(":")
    verb: Callable[..., None] = getattr(import_module(module), name)
    assert verb is gui


def test_help_needs_neither_qt_nor_the_machine() -> None:
    code = (
        "import sys, emu.cli.main as m; sys.modules['PySide6'] = None;"
        "from gui.verb import gui; m._VERBS['gui'] = gui; status = m.main(['gui', '--help']);"
        "sys.exit(status or any(n in sys.modules for n in ('numpy', 'numba', 'unicorn')))"
    )
    helped = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, check=False
    )
    assert (helped.returncode, helped.stderr) == (0, b"")
    assert all(phase.encode() in helped.stdout for phase in PHASES)


# --- a stock kernel -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--linux", "vmlinux", "--break", "sync1"), "--break is for a kernel that we patch"),
        (("--linux", "vmlinux", "--function", "vfs_read"), "--function is for a kernel that we"),
        (("--linux", "vmlinux", "--image", "other.elf"), "--image is for a kernel that we patch"),
        (("run.json", "--linux", "vmlinux"), "FILE is for a kernel that we patch"),
        (("--script", "new.s"), "--script, --fault, --hold, --initramfs and --bzimage are for a"),
        (("--fault", "lose sync 1 on core 1"), "and --bzimage are for a stock kernel"),
        (("--bzimage",), "and --bzimage are for a stock kernel"),
        (("--initramfs", "new.s"), "and --bzimage are for a stock kernel"),
        (("--from", "saved", "--cores", "2"), "saved has its machine"),
        (("--from", "saved", "--append", "quiet"), "saved has its machine"),
        (("--from", "saved", "--bzimage"), "saved has its machine"),
        (("--from", "saved", "--initramfs", "new.s"), "saved has its machine"),
        (("--linux", "nowhere"), "nowhere: No such file or directory"),
        (("--linux", "new.s"), "new.s"),
        (("--from", "nowhere"), "nowhere: No such file or directory"),
        (("--linux", "new.s", "--script", "nowhere"), "nowhere: No such file or directory"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_does_not_go_with_a_stock_kernel_is_refused(
    begun: list[Start], capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert said in refusal(begun, capfd, *words)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """No kernel is read to see whether it can be started."""
    monkeypatch.setattr(LinuxScenario, "check", lambda _scenario: None)


@pytest.mark.usefixtures("folder", "unchecked")
def test_how_a_stock_kernel_is_started_arrives(begun: list[Start]) -> None:
    own = start(begun, "--linux", "vmlinuz", "--bzimage", "--initramfs", "new.s").scenario
    assert own == LinuxScenario(Linux("vmlinuz", initramfs=Path("new.s"), bzimage=True))
    words = ("--linux", "vmlinuz", "--script", "new.s", "--with", "new.s", "--append", "quiet")
    ours = start(begun, *words, "--cores", 3, "--seed", 0, "--model", "observed").scenario
    linux = Linux("vmlinuz", b"{}", (Path("new.s"),), append="quiet")
    assert ours == LinuxScenario(linux, cores=3, seed=0, model="observed")


@pytest.mark.usefixtures("folder", "unchecked")
def test_a_script_that_comes_with_textpoke_is_named(begun: list[Start]) -> None:
    scenario = start(begun, "--linux", "vmlinuz", "--script", "load").scenario
    assert isinstance(scenario, LinuxScenario)
    load = resources.linux_script("load")
    assert load is not None
    assert scenario.linux.script == load.read_bytes()


@pytest.mark.usefixtures("folder")
def test_a_script_has_a_bound(begun: list[Start], capfd: pytest.CaptureFixture[str]) -> None:
    Path("long").write_bytes(bytes((128 << 10) + 1))
    said = refusal(begun, capfd, "--linux", "new.s", "--script", "long")
    assert said.endswith("long: over 128 KiB, too large for a script")
