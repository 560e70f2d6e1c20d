"""Resolves the dependencies again and writes the lock files: `make lock`.

Locked versions stay unchanged if they still fit; with --upgrade, each is the newest that fits.
The files and their contents: docs/decisions/0002-one-lock-file-with-hashes.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
RUN = "requirements.lock"
DEVELOP = "requirements-dev.lock"
PROCESSOR = "processor/requirements.txt"


def names(lock: str) -> list[str]:
    return re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==", (ROOT / lock).read_text(), re.MULTILINE)


def compile_(output: str, *options: str) -> None:
    """Resolve for every platform and Python at once, without naming an index."""
    command = (
        "-m uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header"
    )
    subprocess.run(  # noqa: S603 - our own words
        [sys.executable, *command.split(), "pyproject.toml", *options, "-o", output],
        cwd=ROOT,
        check=True,
    )


def main(options: Sequence[str]) -> None:
    compile_(RUN, "--group", "run", *options)
    ours = [word for name in names(RUN) for word in ("--no-emit-package", name)]
    compile_(DEVELOP, "--group", "dev", "--constraint", RUN, *ours, *options)
    compile_(PROCESSOR, "--constraint", RUN)


if __name__ == "__main__":
    main(sys.argv[1:])
