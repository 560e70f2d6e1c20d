"""Reads a file of settings, in the one form that a shell, docker and systemd read alike.

Each of them has its own rules for quotes, backslashes, dollars and comments. A line that they would
read differently is refused; the error names the line but not its value, which may be a secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from stripe_connector.settings.loading import ConfigurationError

_LINE = re.compile(r"\b(\w+)=(.*)", re.ASCII)
_PLAIN = re.compile(r"[\w@%+,./:=-]*", re.ASCII)
_QUOTED = re.compile(r"'([^']*)'")


def read_env_file(path: Path) -> dict[str, str]:
    """The file's variables; raises ConfigurationError with every line that is not read alike."""
    try:
        text = path.read_bytes().decode()
    except OSError as error:
        raise ConfigurationError([f"{path} cannot be read: {error.strerror}."]) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path} must be UTF-8 text."]) from error
    found: dict[str, str] = {}
    problems = []
    for number, name, value in _assignments(text):
        if value is None:
            problems.append(f"{path}, line {number}: {name}.")
        elif name in found:
            problems.append(f"{path}, line {number}: {name} is already set above.")
        else:
            found[name] = value
    if problems:
        raise ConfigurationError(problems)
    return found


def _assignments(text: str) -> Iterator[tuple[int, str, str | None]]:
    """Each line's number, name and value; or its number, the problem, and None."""
    for number, whole in enumerate(text.removesuffix("\n").split("\n"), 1):
        line = whole.strip(" \t")
        if not line:
            continue
        if line.startswith("#"):
            if line.endswith("\\"):
                yield number, "a comment must not end with a backslash", None
            continue
        assignment = _LINE.fullmatch(line)
        if assignment is None or assignment[1][0].isdigit():
            yield number, "it must be NAME=value, without blanks around the = and no export", None
            continue
        name, value = assignment.groups()
        quoted = _QUOTED.fullmatch(value)
        if quoted is None and not _PLAIN.fullmatch(value):
            yield number, f"the value of {name} must be in single quotes, and contain none", None
        else:
            yield number, name, quoted[1] if quoted else value
