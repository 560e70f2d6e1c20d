"""Set-up says what it will do, notices what has changed, and names in one line what is missing.

It is run as make runs it, in a copy of what it reads, with programs on the PATH that only pretend.
"""

from __future__ import annotations

import os
import runpy
import shutil
import stat
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sandbox.demo import __main__ as demo
from tests.unit.repository.test_newer_releases import PIPS

ROOT = Path(__file__).parents[3]
READ = (
    "Makefile",
    "pyproject.toml",
    "requirements.lock",
    "requirements-dev.lock",
    "scripts/set-up.sh",
    "scripts/set_up.py",
    "enabler/package.json",
    "enabler/package-lock.json",
    "enabler/vite.config.js",
    "enabler/src/index.ts",
)
BASE = sys._base_executable  # type: ignore[attr-defined]
MAKE = shutil.which("make") or "/usr/bin/make"

PYTHON = f"""\
#!/bin/sh
case "$*" in
  *"-m venv"*)
    for folder; do :; done
    rm -rf "$folder"
    mkdir -p "$folder/bin"
    cp "$0" "$folder/bin/python" ;;
  *"-m pip"*) echo "pip $*" >> "$CALLS" ;;
  *"-m sandbox.demo"*) echo demo >> "$CALLS" ;;
  *) exec {BASE} "$@" ;;
esac
case "$*" in *"-m venv"*) echo venv >> "$CALLS" ;; esac
"""
"""Python, but for what would take long: that is only written down."""
NODE = "#!/bin/sh\necho v22.1.0\n"
NPM = """\
#!/bin/sh
case "$*" in
  --version) echo 11.0.0 ;;
  *" ci "*"--omit=dev"*) rm -rf enabler/node_modules; mkdir -p enabler/node_modules
    echo npm ci to build >> "$CALLS" ;;
  *" ci "*) rm -rf enabler/node_modules; mkdir -p enabler/node_modules
    echo npm ci >> "$CALLS" ;;
  *" build"*) mkdir -p enabler/public; echo > enabler/public/connector-enabler.es.js
    echo npm build >> "$CALLS" ;;
esac
"""


def pretending(change: str) -> str:
    """A Python with which set-up finds something else than there is."""
    words = (
        f"import os, runpy, sys; {change}; sys.argv = sys.argv[1:];"
        " runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    case = f'  *set_up.py*) shift; exec {BASE} -c "{words}" "$@" ;;\n'
    return PYTHON.replace("  *) exec", f"{case}  *) exec")


class Machine:
    """A clone in a folder of any name, and a PATH with nothing but what is put on it."""

    def __init__(self, folder: Path, clone: str = "clone") -> None:
        self.clone = folder / clone
        self.bin = folder / "bin"
        self.calls_file = folder / "calls"
        self.bin.mkdir(parents=True)
        for name in READ:
            target = self.clone / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target)
        for name in ("sh", "mkdir", "cp", "rm", "awk"):
            (self.bin / name).symlink_to(shutil.which(name) or f"/bin/{name}")
        self.has("python3", PYTHON)
        self.has("node", NODE)
        self.has("npm", NPM)

    def has(self, name: str, text: str) -> Path:
        program = self.bin / name
        program.write_text(text)
        program.chmod(program.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return program

    def lacks(self, *names: str) -> None:
        for name in names:
            (self.bin / name).unlink()

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        self.calls_file.write_text("")
        return subprocess.run(  # noqa: S603 - our own words
            [MAKE, *words],
            cwd=self.clone,
            env={
                "PATH": str(self.bin),
                "HOME": str(self.clone.parent),
                "CALLS": str(self.calls_file),
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def calls(self) -> list[str]:
        """What the last run did, without pip's options."""
        kinds = {"requirements.lock": "run", "requirements-dev.lock": "develop", ".": "project"}
        lines = self.calls_file.read_text().splitlines()
        return [kinds[line.split()[-1]] if line.startswith("pip") else line for line in lines]

    def fails(self, *words: str, **environment: str) -> str:
        """The one line that is said; make's own line apart."""
        done = self.make(*words, **environment)
        assert done.returncode != 0
        told = [line for line in done.stderr.splitlines() if not line.startswith("make: ***")]
        assert len(told) == 1, done.stderr
        return told[0]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


FIRST = ["venv", "run", "project", "npm ci to build", "npm build", "demo"]


def test_the_demo_installs_what_running_needs_and_no_more(machine: Machine) -> None:
    done = machine.make("demo")
    assert done.returncode == 0, done.stderr
    assert machine.calls() == FIRST


def test_the_plan_is_told_before_anything_is_done(machine: Machine) -> None:
    machine.has("python3", PYTHON.replace('rm -rf "$folder"', "exit 1"))
    done = machine.make("demo")
    assert done.returncode != 0
    plan = done.stdout.splitlines()
    assert plan[0].startswith("Setting up once. It takes about a minute")
    assert [line[:4] for line in plan[1:4]] == ["  1.", "  2.", "  3."]
    assert machine.calls() == []


def test_every_step_is_told_with_its_number(machine: Machine) -> None:
    told = machine.make("demo").stdout
    for number in (1, 2, 3):
        assert f"[{number}/3] " in told


def test_a_second_run_does_nothing_and_says_nothing_of_it(machine: Machine) -> None:
    machine.make("demo")
    done = machine.make("demo")
    assert machine.calls() == ["demo"]
    assert done.stdout == ""


def test_testing_adds_the_tools_to_the_same_environment(machine: Machine) -> None:
    machine.make("demo")
    machine.make("setup")
    assert machine.calls() == ["develop", "npm ci"]
    machine.make("demo")
    assert machine.calls() == ["demo"]


def test_a_newer_time_alone_rebuilds_nothing(machine: Machine) -> None:
    machine.make("demo")
    for name in READ:
        os.utime(machine.clone / name)
    machine.make("demo")
    assert machine.calls() == ["demo"]


@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("requirements.lock", ["venv", "run", "project", "develop"]),
        ("requirements-dev.lock", ["venv", "run", "project", "develop"]),
        ("enabler/package-lock.json", ["npm ci"]),
    ],
)
def test_another_lock_rebuilds_what_it_locks(machine: Machine, name: str, again: list[str]) -> None:
    machine.make("setup")
    with (machine.clone / name).open("a") as lock:
        lock.write("\n")
    machine.make("setup")
    assert machine.calls() == again


def test_another_source_rebuilds_the_bundle_alone(machine: Machine) -> None:
    machine.make("demo")
    (machine.clone / "enabler/src/index.ts").write_text("export {};\n")
    machine.make("demo")
    assert machine.calls() == ["npm build", "demo"]


def test_the_demo_installs_what_builds_the_enabler_and_testing_adds_the_rest(
    machine: Machine,
) -> None:
    machine.make("demo")
    assert "npm ci to build" in machine.calls()
    machine.make("setup")
    assert "npm ci" in machine.calls()
    machine.make("demo")
    assert machine.calls() == ["demo"]


def test_what_tests_the_enabler_also_builds_it(machine: Machine) -> None:
    machine.make("setup")
    machine.make("demo")
    assert "npm ci to build" not in machine.calls()
    assert "npm build" in machine.calls()


def test_another_python_rebuilds(machine: Machine) -> None:
    machine.make("demo")
    machine.has("python3", pretending("sys.version += ' of another day'"))
    machine.make("demo")
    assert machine.calls() == ["venv", "run", "project", "demo"]


def test_a_copied_clone_rebuilds_as_its_programs_name_the_old_place(machine: Machine) -> None:
    machine.make("demo")
    machine.clone = machine.clone.rename(machine.clone.with_name("moved"))
    machine.make("demo")
    assert machine.calls() == ["venv", "run", "project", "demo"]


def test_what_was_interrupted_is_begun_again(machine: Machine) -> None:
    machine.has(
        "python3", PYTHON.replace('*"-m pip"*)', '*"-m pip"*editable*) exit 1 ;; *"-m pip"*)')
    )
    assert machine.make("demo").returncode != 0
    machine.has("python3", PYTHON)
    machine.make("demo")
    assert machine.calls() == FIRST


@pytest.mark.parametrize("clone", ["with spaces in it", "naïve ünïcode 店"])
@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_folders_of_any_name_will_do(tmp_path: Path, clone: str, locale: str) -> None:
    machine = Machine(tmp_path, clone)
    done = machine.make("demo", LC_ALL=locale)
    assert done.returncode == 0, done.stderr
    assert machine.calls() == FIRST


def test_python_starts_in_a_folder_of_any_name_without_utf_8(tmp_path: Path) -> None:
    """A .pth file is read in the locale's letters, so the project's paths in it are relative."""
    folder = tmp_path / "naïve"
    venv.create(folder / ".venv", symlinks=True)
    [packages] = (folder / ".venv").glob("lib/python*/site-packages")
    (folder / "ours.py").write_text("")
    file = packages / "_stripe_connector.pth"
    file.write_bytes(os.fsencode(f"{folder}\n"))
    script()["make_relative"](file)
    assert file.read_text() == "../../../..\n"
    done = subprocess.run(  # noqa: S603 - our own words
        [folder / ".venv/bin/python", "-c", "import ours"],
        env={"LC_ALL": "C"},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_a_home_that_cannot_be_written_gives_npm_a_cache_of_its_own(machine: Machine) -> None:
    machine.has("npm", NPM.replace("echo npm ci", 'echo "$*"'))
    machine.make("demo", HOME="/proc/nowhere")
    [npm] = [line for line in machine.calls_file.read_text().splitlines() if " ci " in line]
    assert f"--cache={machine.clone}/build/npm-cache" in npm
    machine.make("setup", HOME=str(machine.clone.parent))
    assert "--cache" not in machine.calls_file.read_text()


def test_a_missing_python_is_named_with_the_remedy(machine: Machine) -> None:
    machine.lacks("python3")
    told = machine.fails("demo")
    assert "There is no Python 3.11 or newer here" in told
    assert "apt install python3 python3-venv" in told


@pytest.mark.parametrize("words", [(), ("PYTHON=python3",)])
def test_a_python_that_is_too_old_is_named(machine: Machine, words: tuple[str, ...]) -> None:
    machine.has("python3", '#!/bin/sh\ncase "$*" in *print*) echo 3.9.2 ;; *) exit 1 ;; esac\n')
    told = machine.fails("demo", *words)
    assert "python3 is Python 3.9.2, which is too old. Install Python 3.11" in told
    assert "make demo PYTHON=" in told


def test_a_newer_python_beside_an_old_one_is_found(machine: Machine) -> None:
    machine.has("python3", "#!/bin/sh\nexit 1\n")
    machine.has("python3.12", PYTHON)
    assert machine.make("demo").returncode == 0


def test_a_python_in_a_folder_with_spaces_is_found(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other python"
    other.mkdir()
    shutil.move(machine.bin / "python3", other / "python3")
    assert machine.make("demo", f"PYTHON={other / 'python3'}").returncode == 0
    assert machine.calls() == FIRST


def test_a_python_without_its_venv_is_named(machine: Machine) -> None:
    apart = 'echo "The virtual environment was not created as ensurepip is not available." ; exit 1'
    machine.has("python3", PYTHON.replace('rm -rf "$folder"', apart))
    assert "apt install python3-venv" in machine.fails("demo")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("node", None, "There is no node, which builds the enabler."),
        ("npm", None, "There is no npm, which builds the enabler."),
        ("node", "#!/bin/sh\necho v18.19.0\n", "node is 18.19.0, which is too old."),
        ("node", "#!/bin/sh\necho v20.18.3\n", "node is 20.18.3, which is too old."),
        ("npm", "#!/bin/sh\necho 6.14.4\n", "npm is 6.14.4, which is too old."),
        ("npm", "#!/bin/sh\nexit 1\n", "There is no npm, which builds the enabler."),
    ],
)
def test_a_missing_or_old_node_is_named_before_anything_is_done(
    machine: Machine, name: str, text: str | None, words: str
) -> None:
    if text is None:
        machine.lacks(name)
    else:
        machine.has(name, text)
    told = machine.fails("demo")
    assert told.startswith(words)
    assert "Install Node 20.19 or newer" in told
    assert machine.calls() == []


def test_a_built_enabler_needs_no_node(machine: Machine) -> None:
    machine.make("demo")
    machine.lacks("node", "npm")
    assert machine.make("demo").returncode == 0
    assert machine.calls() == ["demo"]


def test_another_node_is_taken_where_it_is_named(machine: Machine, tmp_path: Path) -> None:
    other = tmp_path / "other node"
    other.mkdir()
    for name in ("node", "npm"):
        shutil.move(machine.bin / name, other / name)
    assert machine.make("demo", f"NODE={other / 'node'}").returncode == 0
    assert machine.calls() == FIRST


def test_a_folder_that_cannot_be_written_says_so(machine: Machine) -> None:
    """As another user than its owner; root may write everywhere, so a Python pretends."""
    machine.has("python3", pretending("os.access = lambda *_: False"))
    told = machine.fails("demo")
    assert "cannot be written by this user" in told
    assert "Clone it to where you may write" in told


def test_a_demo_whose_logs_cannot_be_written_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a clone that somebody else has set up."""

    def run(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "build/demo")

    monkeypatch.setattr(demo, "_run", run)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    result = CliRunner().invoke(demo.main, ["--once"])
    assert result.exit_code == 1
    assert "build/demo cannot be written: choose another folder with --logs." in result.output


@pytest.mark.parametrize("make", [("demo",), ("test",)])
def test_an_old_make_is_named(machine: Machine, make: tuple[str, ...]) -> None:
    done = machine.make(*make, "MAKE_VERSION=3.80")
    assert done.returncode == 2
    assert "GNU make 3.81 or newer is needed, and this is 3.80" in done.stderr


def test_the_help_is_the_same_with_any_awk(machine: Machine) -> None:
    told = machine.make("help").stdout.splitlines()
    assert "  make demo          Start the sandbox, walk the main flow and keep running" in told
    assert len(told) > 15


def script() -> dict[str, Any]:
    return runpy.run_path(str(ROOT / "scripts/set_up.py"))


@pytest.mark.parametrize("pip", PIPS.values(), ids=PIPS)
def test_pips_own_words_offline_are_understood(pip: list[str], tmp_path: Path) -> None:
    done = subprocess.run(  # noqa: S603 - our own words
        [
            *(sys.executable, "-I", *pip, "download", "--no-deps", "--retries=0"),
            *("--no-cache-dir", "--index-url=http://127.0.0.1:9/simple", "nothing==1"),
        ],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PIP_CONFIG_FILE": os.devnull},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told = script()["pip_failure"](done.stdout + done.stderr)
    assert told.startswith("Python packages could not be fetched: ")
    assert "Is this machine online?" in told
    assert "\n" not in told


def test_npms_own_words_offline_are_understood(tmp_path: Path) -> None:
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "enabler" / name, tmp_path / name)
    done = subprocess.run(  # noqa: S603 - our own words
        [
            *(shutil.which("npm") or "npm", "ci", "--registry=http://127.0.0.1:9"),
            *("--fetch-retries=0", "--no-audit", "--no-fund", "--loglevel=error"),
            f"--cache={tmp_path}/cache",
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    told = script()["npm_failure"](done.stdout + done.stderr)
    assert told.startswith("npm packages could not be fetched: ")
    assert "Is this machine online?" in told
