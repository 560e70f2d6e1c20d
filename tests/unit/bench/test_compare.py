"""CPU per operation beside an earlier commit's."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from rich.console import Console

from bench.compare import LIMIT, Comparison, NotComparable, checkout, table

OPERATION = "capture"


def test_the_least_disturbed_rounds_are_compared() -> None:
    comparison = Comparison(OPERATION, before=[1.0, 1.9], now=[2.4, 1.1])

    assert comparison.ratio == pytest.approx(1.1)
    assert comparison.spread == pytest.approx(2.4 / 1.1 - 1)
    assert comparison.holds


@pytest.mark.parametrize(("now", "holds"), [(LIMIT, True), (LIMIT + 0.01, False), (0.5, True)])
def test_an_operation_may_take_fifteen_per_cent_more(now: float, holds: bool) -> None:
    assert Comparison(OPERATION, before=[1.0], now=[now]).holds is holds


def test_more_rounds_may_show_that_one_was_disturbed() -> None:
    disturbed = Comparison(OPERATION, before=[1.0], now=[1.3])

    assert disturbed.with_more(Comparison(OPERATION, before=[1.0], now=[1.02])).holds


def test_the_table_marks_what_exceeds_the_limit() -> None:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(
            table([Comparison("slower", [1.0], [1.2]), Comparison("same", [1.0], [1.0])], "HEAD~1")
        )

    rows = {line.split()[1]: line for line in capture.get().splitlines() if "│" in line}
    assert "1.20 !" in rows["slower"]
    assert "!" not in rows["same"]


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
