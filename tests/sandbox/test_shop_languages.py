"""The shop in six languages: every text is there, and money and dates are written in each."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import sandbox.shop
from sandbox.shop.address import fields
from sandbox.shop.languages import LANGUAGES, Texts
from sandbox.shop.markets import COUNTRIES, MARKETS
from sandbox.shop.payment import SAID
from sandbox.shown_cards import SHOWN_CARDS

SHOP = Path(sandbox.shop.__file__).parent
OTHERS = [each for each in LANGUAGES if each != "en"]


def used() -> Iterator[str]:
    """Every English text that a page of the shop may show."""
    for template in (SHOP / "templates").glob("*.html"):
        yield from re.findall(r'\bt\("([^"]+)"', template.read_text("utf-8"))
    for module in SHOP.glob("*.py"):
        text = module.read_text("utf-8")
        yield from re.findall(r'\bsay\("([^"]+)"', text)
        yield from re.findall(r'\bsay\.others\([^,]+, "([^"]+)"', text)
    yield from SAID.values()
    for field in fields(MARKETS["us"]):
        yield field.label
        if field.required:
            yield f"Enter your {field.label.partition(' (')[0].lower()}."
    yield from COUNTRIES.values()
    yield from (each.name for each in MARKETS.values())
    yield from (each.says for each in SHOWN_CARDS)
    yield "this country"


@pytest.mark.parametrize("language", OTHERS)
def test_every_text_is_there_with_the_same_values_and_none_is_left_over(language: str) -> None:
    known = json.loads((SHOP / "texts" / f"{language}.json").read_text("utf-8"))
    assert set(known) == set(used())
    for english, text in known.items():
        assert text.count("{}") == english.count("{}"), english
        assert text == text.strip() != "", english


@pytest.mark.parametrize(
    ("language", "money", "date"),
    [
        ("en", "€1,234.50", "5 March 2026"),
        ("de", "1.234,50 €", "5. März 2026"),
        ("fr", "1 234,50 €", "5 mars 2026"),
        ("es", "1.234,50 €", "5 de marzo de 2026"),
        ("it", "1.234,50 €", "5 marzo 2026"),
        ("nl", "€ 1.234,50", "5 maart 2026"),
    ],
)
def test_money_and_dates_are_written_in_the_language(language: str, money: str, date: str) -> None:
    market = MARKETS["eu"].spoken(language)
    assert market.money(123_450).replace("\xa0", " ") == money
    assert market.date("2026-03-05T10:00:00.000Z") == date


def test_what_another_system_says_is_not_shown_in_another_language() -> None:
    said = "The discount code is not applicable."
    instead = "This discount code cannot be used."
    assert Texts("en").others(said, instead) == said
    assert Texts("de").others(said, instead) == "Dieser Rabattcode gilt hier nicht."
