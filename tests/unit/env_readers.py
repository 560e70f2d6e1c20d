"""How a shell, docker and systemd read a file of variables; the shell does so itself.

Docker and systemd are followed by their published rules, as neither can be run in a test:
docker/cli pkg/kvfile/kvfile.go, and systemd.exec(5), EnvironmentFile=, with src/basic/env-file.c.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

Variables = dict[str, str]

_SHELL_NEEDS_ESCAPE = '"\\`$'
GENERATOR = Path("/usr/lib/systemd/user-environment-generators/30-systemd-environment-d-generator")


def shell(path: Path, program: str = "bash", environment: Mapping[str, str] = {}) -> Variables:
    """As `set -a; . ./.env` has it."""
    done = subprocess.run(  # noqa: S603 - our own words
        [f"/bin/{program}", "-c", f'set -a; . "$0"; {"exec " if environment else ""}env -0', path],
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    pairs = [each.partition("=") for each in done.stdout.split("\0") if each]
    found = {name: value for name, _, value in pairs}
    return {name: found[name] for name in found.keys() - {"PATH", "PWD", "SHLVL", "_", "OLDPWD"}}


def docker(path: Path) -> Variables:
    """`docker run --env-file`: names and values as they stand, comments on lines of their own."""
    found = {}
    for line in path.read_bytes().decode().split("\n"):
        text = line.lstrip()
        if text and not text.startswith("#"):
            name, equals, value = text.partition("=")
            if re.search(r"\s", name) or not equals:
                continue
            found[name] = value
    return found


def systemd(path: Path) -> Variables:
    """`EnvironmentFile=`: quotes and backslashes, no dollars, comments by # and ; at the start."""
    found: Variables = {}
    rest = path.read_bytes().decode()
    while rest:
        rest = rest.lstrip(" \t\r\n")
        if rest[:1] in ("#", ";"):
            # A comment that ended with a backslash went on in the next line before version 254.
            comment = re.match(r"(\\.|[^\\\n])*\n?", rest, re.DOTALL)
            assert comment is not None
            rest = rest[comment.end() :]
            continue
        name, equals, after = rest.partition("=")
        if not equals or "\n" in name:
            rest = rest.partition("\n")[2]
            continue
        value, rest = _systemd_value(after)
        if re.fullmatch(r"[A-Za-z_]\w*", name.strip()):
            found[name.strip()] = value
    return found


def _systemd_value(text: str) -> tuple[str, str]:
    value, blanks, at, plain = "", "", 0, False
    while at < len(text) and text[at] not in "\r\n":
        character = text[at]
        at += 1
        if character == "\\":
            value, blanks, plain = value + blanks, "", True
            value += text[at : at + 1].replace("\n", "")
            at += 1
        elif character == "'" and not plain:
            end = text.find("'", at)
            end = len(text) if end < 0 else end
            value, at = value + text[at:end], end + 1
        elif character == '"' and not plain:
            inner, at = _systemd_quoted(text, at)
            value += inner
        elif character in " \t":
            blanks += character if plain else ""
        else:
            value, blanks, plain = value + blanks + character, "", True
    return value, text[at:]


def _systemd_quoted(text: str, at: int) -> tuple[str, int]:
    value = ""
    while at < len(text) and text[at] != '"':
        if text[at] == "\\":
            at += 1
            following = text[at : at + 1]
            if following != "\n":
                value += following if following in _SHELL_NEEDS_ESCAPE else "\\" + following
        else:
            value += text[at]
        at += 1
    return value, at + 1


def systemd_itself(path: Path, folder: Path) -> Variables:
    """By its generator of environments, which has the same parser but replaces dollars."""
    settings = folder / "environment.d"
    settings.mkdir(parents=True)
    (settings / "10-all.conf").write_text(path.read_text())
    done = subprocess.run(  # noqa: S603 - a program of the machine
        [GENERATOR],
        env={"XDG_CONFIG_HOME": str(folder), "HOME": str(folder), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    told = folder / "told.env"
    told.write_text(done.stdout)
    return shell(told)
