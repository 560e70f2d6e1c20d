"""Records the processor's package of a released version, for the tests of upgrades.

    python scripts/record_version.py REVISION

The sources of the revision are packed under another package name, so that a test can run
that version beside the current one in one process: `stripe_connector` 0.1.0 becomes
`stripe_connector_0_1_0`. Only the name of the package changes.
"""

from __future__ import annotations

import io
import re
import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
SOURCE = "processor/src"
PACKAGE = "stripe_connector"
_NAME = re.compile(rf"\b{PACKAGE}\b")
_LONG_AGO = (1980, 1, 1, 0, 0, 0)
"""The timestamp of every file, so that the same revision gives the same bytes."""


def main(revision: str) -> None:
    """Write `tests/upgrade/recorded/<package>.zip` and print its path."""
    archive = subprocess.run(  # noqa: S603 (git, with a revision that the caller names)
        ["git", "archive", "--format=zip", revision, f"{SOURCE}/{PACKAGE}"],  # noqa: S607
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        files = {name: source.read(name) for name in sorted(source.namelist()) if name[-1] != "/"}
    version = re.search(rb'__version__ = "(.+?)"', files[f"{SOURCE}/{PACKAGE}/__init__.py"])
    if version is None:
        sys.exit(f"{revision} names no version.")
    package = f"{PACKAGE}_{version[1].decode().replace('.', '_')}"
    target = ROOT / "tests" / "upgrade" / "recorded" / f"{package}.zip"
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as recorded:
        for name, content in files.items():
            path = PurePosixPath(name).relative_to(SOURCE)
            if path.suffix == ".py":
                content = _NAME.sub(package, content.decode()).encode()
            entry = zipfile.ZipInfo(str(PurePosixPath(package, *path.parts[1:])), _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            recorded.writestr(entry, content)
    print(target.relative_to(ROOT))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
