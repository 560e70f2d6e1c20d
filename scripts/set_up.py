"""Installs parts of the environment that are missing or out of date; `set-up.sh` starts it.

The parts are `run` (what the demo and the processor import), `develop` (that, and development
tools), `modules` (npm packages of the enabler) and `bundle` (that, and the built enabler). Each
writes a stamp of its inputs, so that nothing is done twice, and a change of Python or of the lock
file is noticed. This script may import only the standard library.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
VENV = Path(".venv")
MODULES = Path("enabler/node_modules")
BUNDLE = Path("enabler/public")
LOG = Path("build/set-up.log")

NODE = (20, 19)
NPM = (9, 0)
NODE_REMEDY = (
    "Install Node 20.19 or newer with its npm (from nodejs.org, or your package manager), or name"
    " one: make demo NODE=/path/to/node"
)
ONLINE = "Is this machine online? A mirror is named by {mirror}, a proxy by HTTPS_PROXY."

_TICK_S = 0.2
_QUIET_S = 5.0
"""Seconds between two lines of progress if the output is not a terminal."""

_PIP_OFFLINE = re.compile(
    r"Failed to establish a new connection|Max retries exceeded|NewConnectionError|ProxyError"
    r"|Temporary failure in name resolution|Read timed out|No matching distribution found"
)
_NPM_OFFLINE = re.compile(
    r"ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENETUNREACH|network"
)


class Unable(Exception):
    """Why the set-up cannot continue, and the remedy, in one line."""


class Progress:
    """Shows the progress of a step: in place on a terminal, otherwise every few seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._title = ""
        self._started = self._told = time.monotonic()

    def plan(self, parts: Sequence[Part]) -> None:
        """Print what will be done, and how long it takes, before it begins."""
        seconds = sum(part.seconds for part in parts)
        about = "half a minute" if seconds <= 40 else "a minute" if seconds <= 80 else "two minutes"
        fetched = sum(part.megabytes for part in parts)
        size = f", and fetches about {fetched} MB" if fetched else ""
        self._line(f"Setting up once. It takes about {about} on a quick connection{size}:")
        for number, part in enumerate(parts, 1):
            self._line(f"  {number}. {part.label}")

    def begin(self, title: str) -> None:
        self._title = title
        self._started = self._told = time.monotonic()
        if not self._out.isatty():
            self._line(f"{title} ...")

    def tell(self, done: str) -> None:
        now = time.monotonic()
        text = f"{self._title}: {done}, {now - self._started:.0f} s"
        if self._out.isatty():
            self._out.write(f"\r{text:<78}")
            self._out.flush()
        elif now - self._told >= _QUIET_S:
            self._told = now
            self._line(text)

    def end(self) -> None:
        text = f"{self._title}: done in {time.monotonic() - self._started:.0f} s"
        if self._out.isatty():
            self._line(f"\r{text:<78}")
        else:
            self._line(text)

    def break_line(self) -> None:
        """End the line that is rewritten, so that the next output starts on a new line."""
        if self._out.isatty() and self._title:
            self._line("")

    def _line(self, text: str) -> None:
        self._out.write(f"{text}\n")
        self._out.flush()


class Part(ABC):
    """Something to install, with the stamp of its inputs."""

    label: str
    seconds: int
    megabytes: int
    stamp: Path

    @abstractmethod
    def fingerprint(self) -> str:
        """Hash of everything that it depends on; if it differs, the part is installed again."""

    @abstractmethod
    def require(self) -> None:
        """Raises Unable if a tool that installs it is missing."""

    @abstractmethod
    def install(self, progress: Progress) -> None:
        """Install it, replacing what exists."""

    def is_fresh(self) -> bool:
        try:
            return self.stamp.read_text() == self.fingerprint()
        except OSError:
            return False

    def renew(self, progress: Progress, title: str) -> None:
        self.stamp.unlink(missing_ok=True)
        progress.begin(title)
        self.install(progress)
        self.stamp.write_text(self.fingerprint())
        progress.end()


class Run(Part):
    """Packages that the demo and the processor need, in a virtual environment."""

    label = "Python packages that run it, into .venv"
    seconds = 35
    megabytes = 35
    stamp = VENV / ".run"
    lock = Path("requirements.lock")

    def fingerprint(self) -> str:
        project = tomllib.loads(Path("pyproject.toml").read_text("utf-8"))
        placed = [project["project"]["scripts"], project["tool"]["hatch"]]
        return digest(sys.version, ROOT, json.dumps(placed, sort_keys=True), self.lock)

    def require(self) -> None:
        """Python is there, as it runs this."""

    def install(self, progress: Progress) -> None:
        run(
            [python(), "-I", "-m", "venv", "--clear", str(VENV)],
            progress,
            failed=venv_failure,
            far=lambda: "making an empty environment",
        )
        pip_install(self.lock, progress)
        run(
            [*pip(), "install", "--no-deps", "--no-build-isolation", "--editable", "."],
            progress,
            failed=pip_failure,
            far=lambda: "putting the project in place",
        )
        for file in VENV.glob("lib/python*/site-packages/_stripe_connector.pth"):
            make_relative(file)


class Develop(Part):
    """Packages that development needs in addition, in the same virtual environment."""

    label = "Tools for developing and testing, into .venv"
    seconds = 60
    megabytes = 130
    stamp = VENV / ".ready"
    lock = Path("requirements-dev.lock")

    def __init__(self, base: Run) -> None:
        self._base = base

    def fingerprint(self) -> str:
        return digest(self._base.fingerprint(), self.lock)

    def require(self) -> None:
        """Python is there, as it runs this."""

    def install(self, progress: Progress) -> None:
        pip_install(self.lock, progress)


class Modules(Part):
    """The npm packages that the enabler is built, tested and linted with."""

    label = "npm packages that build and test the enabler, into enabler/node_modules"
    seconds = 20
    megabytes = 60
    stamp = MODULES / ".ready"
    options: Sequence[str] = ()

    def fingerprint(self) -> str:
        node = version_of("node")
        return digest(
            f"{os.uname().sysname} {os.uname().machine} {node and node[0]}",
            Path("enabler/package-lock.json"),
            Path("enabler/package.json"),
        )

    def require(self) -> None:
        for name, oldest in (("node", NODE), ("npm", NPM)):
            found = version_of(name)
            if found is None:
                raise Unable(f"There is no {name}, which builds the enabler. {NODE_REMEDY}")
            if found < oldest:
                version = ".".join(map(str, found))
                raise Unable(f"{name} is {version}, which is too old. {NODE_REMEDY}")

    def install(self, progress: Progress) -> None:
        locked = json.loads(Path("enabler/package-lock.json").read_text("utf-8"))["packages"]
        wanted = sum(
            path.count("node_modules/") == 1 and not ("dev" in package and self.options)
            for path, package in locked.items()
        )

        def far() -> str:
            # Packages for other platforms are not installed, so it ends below the total.
            there = len([*MODULES.glob("[!.@]*"), *MODULES.glob("@*/*")])
            return f"{there} of at most {wanted}"

        command = "npm --prefix enabler ci --ignore-scripts --no-audit --no-fund".split()
        command += ["--loglevel=error", *self.options]
        with npm_cache() as options:
            run([*command, *options], progress, failed=npm_failure, far=far)


class BuildModules(Modules):
    """Those that the enabler is built with: a third of all."""

    label = "npm packages that build the enabler, into enabler/node_modules"
    seconds = 10
    megabytes = 20
    stamp = MODULES / ".build"
    options = ("--omit=dev",)

    def is_fresh(self) -> bool:
        return super().is_fresh() or Modules().is_fresh()


class Bundle(Part):
    """The browser library."""

    label = "The enabler's bundle, into enabler/public"
    seconds = 10
    megabytes = 0
    stamp = Path("enabler/.bundle")

    def fingerprint(self) -> str:
        sources = sorted(Path("enabler/src").rglob("*"))
        return digest(
            *[each for each in sources if each.is_file()],
            *sorted(Path("enabler").glob("*.json")),
            Path("enabler/vite.config.js"),
        )

    def is_fresh(self) -> bool:
        return (BUNDLE / "connector-enabler.es.js").exists() and super().is_fresh()

    def require(self) -> None:
        Modules().require()

    def install(self, progress: Progress) -> None:
        run(["npm", "--prefix", "enabler", "run", "--silent", "build"], progress, failed=last_line)


def parts(names: Sequence[str]) -> list[Part]:
    """Parts that must be installed, in order."""
    base = Run()
    known: dict[str, list[Part]] = {
        "run": [base],
        "develop": [base, Develop(base)],
        "modules": [Modules()],
        "bundle": [BuildModules(), Bundle()],
    }
    wanted: dict[Path, Part] = {}
    for name in names:
        if name == "bundle" and Bundle().is_fresh():
            continue  # what it was built with is not needed to use it
        wanted |= {part.stamp: part for part in known[name]}
    if Modules.stamp in wanted:
        wanted.pop(BuildModules.stamp, None)  # they are among the others
    stale = [part for part in wanted.values() if not part.is_fresh()]
    outdated = any(isinstance(part, Develop) and part.stamp.exists() for part in stale)
    if outdated and not any(isinstance(part, Run) for part in stale):
        # A package that is no longer in the lock is removed only with all the others.
        stale.insert(0, base)
    return stale


def digest(*of: object) -> str:
    """A fingerprint of texts, and of the contents of files."""
    found = hashlib.sha256()
    for each in of:
        content = each.read_bytes() if isinstance(each, Path) and each.is_file() else None
        found.update(hashlib.sha256(content or os.fsencode(str(each))).digest())
    return found.hexdigest()


def python() -> str:
    """The Python that was found; if it is that of .venv, which is replaced, its base Python."""
    if sys.prefix != sys.base_prefix:
        return str(getattr(sys, "_base_executable", sys.executable))
    return os.environ.get("SET_UP_PYTHON", sys.executable)


def pip() -> list[str]:
    """pip's command, without settings of the environment and the user's site."""
    return [str(VENV / "bin/python"), "-I", "-m", "pip"]


def pip_install(lock: Path, progress: Progress) -> None:
    """Install exactly the packages of a lock file; the first import compiles them."""
    wanted = len(re.findall(r"^[\w.-]+==", lock.read_text("utf-8"), re.MULTILINE))
    before = len(installed())

    def far() -> str:
        there = len(installed()) - before
        if there:
            return f"{min(there, wanted)} of {wanted} installed ({percent(there, wanted)})"
        fetched = len(re.findall(r"^Collecting ", LOG.read_text("utf-8", "replace"), re.MULTILINE))
        return f"{min(fetched, wanted)} of {wanted} fetched ({percent(fetched, wanted)})"

    run(
        [*pip(), "install", "--no-deps", "--no-compile", "--require-hashes", "-r", str(lock)],
        progress,
        failed=pip_failure,
        far=far,
    )


def make_relative(file: Path) -> None:
    """Make the paths in a file relative: Python reads them before it can decode UTF-8."""
    places = os.fsdecode(file.read_bytes()).splitlines()
    here = file.parent.resolve()
    file.write_text("".join(f"{os.path.relpath(each, here)}\n" for each in places), "ascii")


def percent(done: int, of: int) -> str:
    return f"{min(100, done * 100 // of)} %"


def installed() -> list[Path]:
    return list(VENV.glob("lib/python*/site-packages/*.dist-info"))


def run(
    command: Sequence[str],
    progress: Progress,
    *,
    failed: Callable[[str], str],
    far: Callable[[], str] = lambda: "at work",
) -> None:
    """Run a program, its output into the log; raises Unable with the text of `failed`."""
    with LOG.open("w") as log:
        log.write(f"$ {shlex.join(command)}\n")
        log.flush()
        with subprocess.Popen(  # noqa: S603 - our own words
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=environment(),
        ) as process:
            try:
                while True:
                    try:
                        code = process.wait(_TICK_S)
                        break
                    except subprocess.TimeoutExpired:
                        progress.tell(far())
            except BaseException:
                process.terminate()
                raise
    if code:
        problem = failed(LOG.read_text("utf-8", "replace").partition("\n")[2])
        raise Unable(f"{problem} (The full output is in {LOG}.)")


def environment() -> Mapping[str, str]:
    """Puts the chosen Node first in PATH, and keeps pip from installing elsewhere."""
    node = os.environ.get("NODE", "")
    path = os.environ.get("PATH", os.defpath)
    if os.sep in node:
        path = f"{Path(node).parent}{os.pathsep}{path}"
    return {
        **os.environ,
        "PATH": path,
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_USER": "0",
    }


def version_of(name: str) -> tuple[int, ...] | None:
    """The version that a program of Node prints; None if it is missing or does not run."""
    path = shutil.which(name, path=environment()["PATH"])
    if path is None:
        return None
    printed = subprocess.run(  # noqa: S603 - found where the shell would find it
        [path, "--version"], capture_output=True, check=False, text=True, env=environment()
    )
    numbers = re.match(r"v?(\d+)\.(\d+)\.(\d+)", printed.stdout)
    return tuple(map(int, numbers.groups())) if numbers and not printed.returncode else None


@contextmanager
def npm_cache() -> Iterator[list[str]]:
    """Options that give npm its own cache if the home folder is not writable."""
    home = Path(os.environ.get("HOME", "/"))
    own = Path("build/npm-cache").absolute()
    if os.access(home / ".npm", os.W_OK) or os.access(home, os.W_OK):
        yield []
        return
    yield [f"--cache={own}"]
    shutil.rmtree(own, ignore_errors=True)


def venv_failure(output: str) -> str:
    if "ensurepip" in output:
        return (
            f"{sys.executable} cannot make virtual environments, as its ensurepip is missing."
            " Debian and Ubuntu have it in a package: apt install python3-venv"
        )
    return f"The virtual environment could not be made: {last_line(output)}"


def pip_failure(output: str) -> str:
    if _PIP_OFFLINE.search(output):
        mirror = ONLINE.format(mirror="PIP_INDEX_URL")
        return f"Python packages could not be fetched: {last_line(output, 'ERROR: ')}. {mirror}"
    return f"Python packages could not be installed: {last_line(output, 'ERROR: ')}"


def npm_failure(output: str) -> str:
    if _NPM_OFFLINE.search(output):
        mirror = ONLINE.format(mirror="npm_config_registry")
        return f"npm packages could not be fetched: {npm_words(output)}. {mirror}"
    return f"npm packages could not be installed: {npm_words(output)}"


def npm_words(output: str) -> str:
    """npm's message about an error, after its code; npm 9 prefixes it in capitals."""
    said = re.findall(r"^npm (?:error|ERR!) (?!code|errno|syscall)(.+)$", output, re.MULTILINE)
    return last_line(said[0] if said else output)


def last_line(output: str, mark: str = "") -> str:
    """The last line, or the first with an error mark."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    marked = [line.removeprefix(mark) for line in lines if mark and line.startswith(mark)]
    return (marked or lines[-1:] or ["it printed nothing"])[0].rstrip(".")


@contextmanager
def alone() -> Iterator[None]:
    """Allow one set-up of a folder at a time."""
    folder = os.open(".", os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Another set-up of this folder is running; waiting for it.", flush=True)
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def set_up(names: Sequence[str], progress: Progress) -> None:
    """Install the missing ones of the named parts."""
    if not parts(names):
        return
    if not os.access(".", os.W_OK):
        raise Unable(
            f"{ROOT} cannot be written by this user, so nothing can be installed in it. Clone it"
            " to where you may write, or let its owner run make first."
        )
    LOG.parent.mkdir(exist_ok=True)
    with alone():
        wanted = parts(names)
        if not wanted:
            return
        progress.plan(wanted)
        for part in wanted:
            part.require()
        for number, part in enumerate(wanted, 1):
            part.renew(progress, f"[{number}/{len(wanted)}] {part.label}")


def main(names: Sequence[str]) -> int:
    os.chdir(ROOT)
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    progress = Progress(sys.stdout)
    try:
        set_up(names, progress)
    except Unable as error:
        progress.break_line()
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        progress.break_line()
        print(f"The set-up failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        progress.break_line()
        print("Stopped. Run the same command again to continue.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
