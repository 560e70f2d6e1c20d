"""The earlier commit that this code is compared with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bench.compare import NotComparable, checkout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Two commits that lock the same, and a first one that locks something else."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    for lock, code in (("a==1", "1"), ("a==2", "2"), ("a==2", "3")):
        (folder / "requirements.lock").write_text(lock)
        (folder / "code").write_text(code)
        git(folder, "add", ".")
        git(folder, "commit", "-q", "-m", code)
    return folder


def test_the_commit_is_checked_out_in_a_folder_that_goes_again(repository: Path) -> None:
    with checkout("HEAD~1", repository) as tree:
        assert (tree / "code").read_text() == "2"
        assert (repository / "code").read_text() == "3"

    assert not tree.exists()
    assert git(repository, "worktree", "list").count("\n") == 1


@pytest.mark.parametrize(
    ("commit", "reason"), [("HEAD~2", "locks other dependencies"), ("v9", "no commit v9")]
)
def test_what_cannot_be_compared_is_told(repository: Path, commit: str, reason: str) -> None:
    with pytest.raises(NotComparable, match=reason), checkout(commit, repository):
        pytest.fail("It was checked out.")

    assert git(repository, "worktree", "list").count("\n") == 1


def git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com"]
    return subprocess.run(  # noqa: S603 - fixed commands, no shell
        ["git", "-C", str(folder), *identity, *arguments],  # noqa: S607
        text=True,
        capture_output=True,
        check=True,
        timeout=30,
    ).stdout
