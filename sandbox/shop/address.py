"""The address form: its fields, what is wrong with what was typed, and what the BFF gets."""

from __future__ import annotations

import re
from collections.abc import Mapping

from msgspec import Struct

from sandbox.shop.languages import Texts
from sandbox.shop.markets import COUNTRIES, Market

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+")
_POSTAL_CODES = {
    "DE": (r"\d{5}", "10969"),
    "AT": (r"\d{4}", "1010"),
    "BE": (r"\d{4}", "1000"),
    "ES": (r"\d{5}", "28013"),
    "FR": (r"\d{5}", "75011"),
    "IT": (r"\d{5}", "00184"),
    "NL": (r"\d{4} ?[A-Za-z]{2}", "1012 AB"),
    "US": (r"\d{5}(-\d{4})?", "10013"),
    "JP": (r"\d{3}-?\d{4}", "150-0041"),
    "KW": (r"\d{5}", "13001"),
}
_LONGEST = 100


class Field(Struct, frozen=True):
    """One input; `autocomplete` is the token of the HTML standard, `width` a style."""

    name: str
    label: str
    autocomplete: str
    width: str = "full"
    kind: str = "text"
    required: bool = True


_FIELDS = (
    Field("email", "E-mail address", "email", kind="email"),
    Field("firstName", "First name", "given-name", "half"),
    Field("lastName", "Last name", "family-name", "half"),
    Field("streetName", "Street", "address-line1", "wide"),
    Field("streetNumber", "Number", "address-line2", "narrow", required=False),
    Field("postalCode", "Postal code", "postal-code", "narrow"),
    Field("city", "City", "address-level2", "wide"),
)
_STATE = Field("region", "State (two letters)", "address-level1", "half")


def fields(market: Market) -> tuple[Field, ...]:
    """The inputs that a market asks for, besides the country."""
    return (*_FIELDS, _STATE) if "US" in market.countries else _FIELDS


def typed(form: Mapping[str, object], market: Market) -> dict[str, str]:
    """What the shopper entered, trimmed; the market's only country needs no asking."""
    values = {each.name: " ".join(str(form.get(each.name, "")).split()) for each in fields(market)}
    if "region" in values:
        values["region"] = values["region"].upper()
    country = str(form.get("country", market.countries[0]))
    return {**values, "country": country}


def mistakes(values: Mapping[str, str], market: Market, say: Texts) -> dict[str, str]:
    """What to correct, by field, and how."""
    found: dict[str, str] = {}
    for each in fields(market):
        value = values[each.name]
        if each.required and not value:
            found[each.name] = say(f"Enter your {each.label.partition(' (')[0].lower()}.")
        elif len(value) > _LONGEST:
            found[each.name] = say("Use at most {} characters.", _LONGEST)
    if values["country"] not in market.countries:
        found["country"] = say("Choose a country that we deliver to in {}.", market.currency)
    if "email" not in found and not _EMAIL.fullmatch(values["email"]):
        found["email"] = say("Enter an e-mail address like name@example.com.")
    pattern, example = _POSTAL_CODES.get(values["country"], (r".+", ""))
    if "postalCode" not in found and not re.fullmatch(pattern, values["postalCode"]):
        country = say(COUNTRIES.get(values["country"], "this country"))
        found["postalCode"] = say("Enter a postal code of {}, such as {}.", country, example)
    if (
        "region" in values
        and "region" not in found
        and not re.fullmatch(r"[A-Z]{2}", values["region"])
    ):
        found["region"] = say("Enter a state such as NY.")
    return found


def given(values: Mapping[str, str]) -> dict[str, str]:
    """The address as the BFF takes it: what was left empty is left out."""
    entered = {name: value for name, value in values.items() if value}
    if "region" in entered:  # taxes of the United States go by state
        entered["state"] = entered["region"]
    return entered
