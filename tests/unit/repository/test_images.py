"""Base images are build arguments; their digests come from a registry, or are missed aloud."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
digests = runpy.run_path(str(ROOT / "scripts/digests.py"))
images, unpinned = digests["images"], digests["unpinned"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
WANTED = {"NODE_IMAGE": "node:22-slim"}
DIGEST = "sha256:" + "0f" * 32


def test_every_base_image_is_a_build_argument() -> None:
    stages = set(re.findall(r"^FROM \S+ AS (\w+)$", DOCKERFILE, re.MULTILINE))
    bases = set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) - stages
    assert bases == {f"${{{name}}}" for name in images(DOCKERFILE)}
    assert "@sha256" not in DOCKERFILE


@pytest.mark.parametrize(
    ("lock", "pinned"),
    [
        (f"NODE_IMAGE=node:22-slim@{DIGEST}\n", True),
        ("", False),
        ("NODE_IMAGE=node:22-slim\n", False),
        (f"NODE_IMAGE=node:20-slim@{DIGEST}\n", False),
        (f"NODE_IMAGE=node:22-slim@{DIGEST[:-1]}\n", False),
        (f"NODE_IMAGE=node:22-slim@{DIGEST.upper()}\n", False),
        (f"OTHER_IMAGE=node:22-slim@{DIGEST}\n", False),
    ],
)
def test_an_image_without_its_tags_digest_is_not_pinned(lock: str, pinned: bool) -> None:
    assert unpinned(WANTED, lock) == ([] if pinned else ["NODE_IMAGE (node:22-slim)"])


@pytest.mark.parametrize("pinned", [True, False])
def test_a_release_refuses_what_ci_warns_of(
    pinned: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    lock = tmp_path / "images.lock"
    if pinned:
        lines = [f"{name}={tag}@{DIGEST}\n" for name, tag in images(DOCKERFILE).items()]
        lock.write_text("".join(lines))
    monkeypatch.setitem(digests["main"].__globals__, "LOCK", lock)
    for arguments, expected in (["--check"], 0), (["--check", "--required"], 0 if pinned else 1):
        monkeypatch.setattr(sys, "argv", ["digests.py", *arguments])
        with pytest.raises(SystemExit) as ended:
            digests["main"]()
        assert ended.value.code == expected
        assert ("WARNING: not pinned" in capsys.readouterr().out) is not pinned


def test_installing_packages_runs_none_of_their_scripts() -> None:
    for name in ("Dockerfile", "scripts/set_up.py"):
        for line in (ROOT / name).read_text().splitlines():
            if re.search(r"\bnpm\b.*\bci\b", line):
                assert "--ignore-scripts" in line, (name, line)
