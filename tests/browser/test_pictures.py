"""The README's pictures: shop, payment and desk, light and dark; `make pictures` keeps them."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.payer import Payer
from tests.browser.shopper import GOOD, Shopper
from tests.browser.test_desk import Merchant

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
SCHEMES = ("light", "dark")
LARGEST = 60_000
"""Bytes of a picture: the README is read on phones, too."""
SMALLEST = 3_000
"""Bytes of a picture with anything on it."""
_SIZE = {"width": 1120, "height": 700}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where pictures go: as PICTURES says, else nowhere that is kept."""
    found = ROOT / os.environ["PICTURES"] if "PICTURES" in os.environ else tmp_path
    found.mkdir(parents=True, exist_ok=True)
    return found


def take(page: Page, folder: Path, name: str, settled: Callable[[str], None]) -> None:
    """The window as it is, in both schemes."""
    page.set_viewport_size(_SIZE)  # type: ignore[arg-type]
    camera = page.context.new_cdp_session(page)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        settled(scheme)
        page.evaluate("scrollTo(0, 0)")
        shot = camera.send("Page.captureScreenshot", {"format": "webp", "quality": 80})
        picture = base64.b64decode(shot["data"])
        assert SMALLEST < len(picture) < LARGEST, f"{name} in {scheme}: {len(picture)} bytes"
        (folder / f"{name}-{scheme}.webp").write_bytes(picture)


def test_the_shop(shopper: Shopper, folder: Path) -> None:
    def settled(_: str) -> None:
        shopper.page.goto("/", wait_until="networkidle")
        expect(shopper.page.get_by_role("link", name="Stoneware mug").first).to_be_visible()

    take(shopper.page, folder, "shop", settled)


def test_the_payment(shopper: Shopper, folder: Path) -> None:
    payer = Payer(shopper.shop, shopper.page)
    payer.reaches_the_element("wool-blanket-1")

    def settled(_: str) -> None:
        payer.page.reload(wait_until="networkidle")
        payer.sees_the_element()
        payer.fills_in(GOOD)
        payer.page.locator("h1").click()  # leaves the field

    take(payer.page, folder, "payment", settled)


def test_the_desk(shopper: Shopper, folder: Path) -> None:
    merchant = Merchant(shopper.shop, shopper.page)
    merchant.checks_out()
    merchant.pays_with(GOOD)
    merchant.sees_paid()
    merchant.signs_in()
    merchant.page.get_by_role("row").nth(1).get_by_role("link").first.click()

    def settled(_: str) -> None:
        merchant.page.reload(wait_until="load")
        merchant.sees_agreement()

    take(merchant.page, folder, "desk", settled)


def test_the_readme_shows_each_in_both_schemes() -> None:
    shown = re.findall(r'"docs/pictures/([a-z]+)-(light|dark)\.webp"', README.read_text("utf-8"))
    assert sorted(shown) == sorted(
        (name, scheme) for name in ("shop", "payment", "desk") for scheme in SCHEMES
    )
    for name, scheme in shown:
        picture = ROOT / "docs" / "pictures" / f"{name}-{scheme}.webp"
        assert SMALLEST < picture.stat().st_size < LARGEST
