"""Pins the base images of Dockerfile to digests: `python scripts/digests.py` (`make digests`).

Asks the registry, with skopeo or docker, which image a tag names now, and writes `images.lock`,
whose lines are build arguments. Digests are never written by hand. `--check` reports whether each
image is pinned; with `--required`, as for a release, an unpinned one is an error.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "images.lock"

_ARGUMENT = re.compile(r"^ARG (?P<name>\w+_IMAGE)=(?P<tag>[a-z0-9./-]+:[\w.-]+)$", re.MULTILINE)
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TOOLS = (
    ("skopeo", "inspect", "--format", "{{.Digest}}", "docker://{tag}"),
    ("docker", "buildx", "imagetools", "inspect", "{tag}", "--format", "{{.Manifest.Digest}}"),
)
"""Commands that query a registry; the first installed one is used. Both return the digest of all
platforms."""
_TIMEOUT_S = 120


def images(dockerfile: str) -> dict[str, str]:
    """The base images by their build arguments."""
    return {found["name"]: found["tag"] for found in _ARGUMENT.finditer(dockerfile)}


def unpinned(wanted: Mapping[str, str], lock: str) -> list[str]:
    """Images whose tag has no digest in the lock."""
    pinned = dict(line.partition("=")[::2] for line in lock.splitlines() if line)
    missing = []
    for name, tag in wanted.items():
        locked, _, digest = pinned.get(name, "").partition("@")
        if locked != tag or not _DIGEST.fullmatch(digest):
            missing.append(f"{name} ({tag})")
    return missing


def resolve(tag: str) -> str:
    """The registry's digest for a tag; raises OSError if it cannot be queried."""
    for tool, *arguments in _TOOLS:
        if shutil.which(tool) is None:
            continue
        command = [tool, *(each.replace("{tag}", tag) for each in arguments)]
        asked = subprocess.run(  # noqa: S603 - a tag of Dockerfile
            command, capture_output=True, check=False, text=True, timeout=_TIMEOUT_S
        )
        digest = asked.stdout.strip()
        if _DIGEST.fullmatch(digest):
            return digest
        raise OSError(f"{tool} got no digest of {tag}: {asked.stderr.strip()[-200:]}")
    raise OSError("neither skopeo nor docker is installed")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say what is not pinned")
    parser.add_argument("--required", action="store_true", help="fail where one is not pinned")
    given = parser.parse_args()
    wanted = images((ROOT / "Dockerfile").read_text())
    if not given.check:
        try:
            lines = [f"{name}={tag}@{resolve(tag)}\n" for name, tag in wanted.items()]
        except (OSError, subprocess.TimeoutExpired) as error:
            sys.exit(f"No registry answers ({error}): nothing was pinned.")
        LOCK.write_text("".join(lines))
    missing = unpinned(wanted, LOCK.read_text() if LOCK.exists() else "")
    if missing:
        print(f"WARNING: not pinned by digest: {', '.join(missing)}. Run `make digests`.")
    sys.exit(1 if missing and given.required else 0)


if __name__ == "__main__":
    main()
