"""Links between the repository's pages lead somewhere; the pages speak of the product alone."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]

FENCED = re.compile(r"^(```|~~~).*?^\1", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"`[^`\n]*`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
ELSEWHERE = ("http://", "https://", "mailto:")

FOREIGN = (
    r"\b(AI|LLM|GPT|Claude|Codex|chatbots?|subagents?)\b",
    r"\b(coding|software|autonomous) agents?\b",
    r"/work/|/tmp/|/root/|/home/\w",
    r"\bissue #\d+",
)
"""What belongs to how a repository came about, and not into it."""


def listed() -> list[Path]:
    """All files that belong to the repository, new ones too."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split("\0")
    return sorted({ROOT / name for name in names if name and (ROOT / name).is_file()})


PAGES = [each for each in listed() if each.suffix == ".md"]
of_each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))


@cache
def anchors(page: Path) -> frozenset[str]:
    """What headings are called in addresses, as GitHub makes them."""
    found: list[str] = []
    for heading in HEADING.findall(FENCED.sub("", page.read_text())):
        text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return frozenset(found)


def leads_nowhere(page: Path, target: str) -> bool:
    if target.startswith(ELSEWHERE):
        return False
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    if not file.exists() or not file.is_relative_to(ROOT):
        return True
    return bool(anchor) and (file.suffix != ".md" or anchor not in anchors(file))


@of_each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    text = CODE.sub("", FENCED.sub("", page.read_text()))
    assert [target for target in LINK.findall(text) if leads_nowhere(page, target)] == []


@of_each_page
def test_pages_speak_of_the_product_alone(page: Path) -> None:
    text = page.read_text()
    assert [found[0] for each in FOREIGN for found in re.finditer(each, text)] == []


def test_every_page_can_be_reached_from_the_first() -> None:
    reached: set[Path] = set()
    to_read = [ROOT / "README.md"]
    while to_read:
        page = to_read.pop()
        if page in reached:
            continue
        reached.add(page)
        for target in LINK.findall(page.read_text()):
            if target.startswith("#"):
                continue
            path = (page.parent / target.partition("#")[0]).resolve()
            if path.is_dir():
                to_read += [path / "README.md"] if (path / "README.md").exists() else []
            elif path.suffix == ".md" and path.exists():
                to_read.append(path)
    forms = {page for page in PAGES if page.is_relative_to(ROOT / ".github")}
    assert {page for page in PAGES if page not in reached} == forms


@pytest.mark.parametrize(
    ("target", "broken"),
    [
        ("docs/configuration.md", False),
        ("docs/configuration.md#stripe", False),
        ("docs/configuration.md#nothing", True),
        ("docs/nothing.md", True),
        ("https://example.com/nothing", False),
        ("../outside.md", True),
    ],
)
def test_a_link_that_leads_nowhere_would_be_found(target: str, broken: bool) -> None:
    assert leads_nowhere(ROOT / "README.md", target) is broken
