"""What holds for every page in every state: axe finds nothing, and nothing is cut off."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from playwright.sync_api import Frame, Page

from tests.browser.widths import assert_fits

_AXE = (files("axe_core_python") / "axe.min.js").read_text()
_RUN = """(options) => axe.run(document, {
  // What passes is not listed node by node, which takes most of the time.
  resultTypes: ["violations"], ...options,
})"""
_COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}


def assert_accessible(page: Page) -> None:
    """No violation on the page as it is, in light and in dark, and nothing wider than the window.

    Between the schemes only colours differ, so that only they are looked at twice.
    """
    options: dict[str, Any] = {}
    for scheme in ("light", "dark"):
        # Without motion, or colours would be looked at on their way to the other scheme.
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found = violations(page.main_frame, options)
        assert found == [], f"{page.url} in {scheme}: {found}"
        options = _COLOURS
    assert_fits(page)


def violations(frame: Frame, options: dict[str, Any]) -> list[tuple[str, list[str]]]:
    """Rules that axe says are broken, with the elements that break them."""
    # Evaluated, not added as an element: the page's policy admits no inline script.
    frame.evaluate(_AXE)
    report: dict[str, Any] = frame.evaluate(_RUN, options)
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in report["violations"]]
