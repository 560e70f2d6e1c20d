"""What a shopper fills in on the payment page, and what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import decode
from sandbox.stripe.objects import JsonObject

METHODS = ("card", "sepa_debit", "ideal")
"""The payment methods that the page has fields for, in the order in which it shows them."""

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_EXPIRY = re.compile(r"(\d{1,2})\s*/?\s*(?:20)?(\d{2})")
_IBAN = re.compile(r"[A-Z]{2}\d{2}[A-Z0-9]{11,30}")
_CARD_FIELDS = {"number": "number", "exp_month": "expiry", "exp_year": "expiry", "cvc": "cvc"}


class Form(Struct, frozen=True):
    """The fields of the page as they were sent."""

    email: str = ""
    name: str = ""
    method: str = ""
    number: str = ""
    expiry: str = ""
    cvc: str = ""
    iban: str = ""
    holder: str = ""
    """Whose bank account it is."""
    shipping_rate: str = ""


def read(body: bytes) -> Form:
    """A posted form; what it does not know is left out."""
    sent = decode(body.decode(errors="replace"))
    known = Form.__struct_fields__
    return Form(**{k: v.strip() for k, v in sent.items() if k in known and isinstance(v, str)})


def problems(form: Form, session: JsonObject, *, email_known: bool) -> dict[str, str]:
    """What must be corrected before anything is tried: messages by field."""
    found = {}
    if not email_known and not _EMAIL.fullmatch(form.email):
        found["email"] = "Enter an email address such as ada@example.com."
    if session["amount_total"] == 0:
        return found
    if form.method not in session["payment_method_types"] or form.method not in METHODS:
        found["method"] = "Choose how you want to pay."
    elif form.method == "card":
        if not re.fullmatch(r"[\d ]{12,23}", form.number):
            found["number"] = "Enter the number on your card."
        if not _EXPIRY.fullmatch(form.expiry):
            found["expiry"] = "Enter the expiry date as MM / YY."
        if not re.fullmatch(r"\d{3,4}", form.cvc):
            found["cvc"] = "Enter the 3 or 4 digits of the security code."
        if not form.name:
            found["name"] = "Enter the name on your card."
    elif form.method == "sepa_debit":
        if not _is_iban(_compact(form.iban)):
            found["iban"] = "Enter a complete and correct IBAN."
        if not form.holder:
            found["holder"] = "Enter the name of the account holder."
    return found


def method_data(form: Form, email: str) -> JsonObject:
    """The payment method of a form that has no problems, for the shopper with an e-mail address."""
    data: dict[str, Any] = {
        "type": form.method,
        "billing_details": {"email": email, "name": holder(form)},
    }
    match form.method:
        case "card":
            expiry = _EXPIRY.fullmatch(form.expiry)
            month, year = expiry.groups() if expiry else ("0", "0")
            data["card"] = {
                "number": form.number,
                "exp_month": int(month),
                "exp_year": 2000 + int(year),
                "cvc": form.cvc,
            }
        case "sepa_debit":
            data["sepa_debit"] = {"iban": _compact(form.iban)}
    return data


def holder(form: Form) -> str | None:
    """The name that was given for the chosen method."""
    return (form.holder if form.method == "sepa_debit" else form.name) or None


def refusal(error: StripeError) -> dict[str, str]:
    """Stripe's answer to a payment: a message for a field of the card, or for the whole form."""
    field = _CARD_FIELDS.get(str(error.error.get("param")), "")
    return {field: str(error.error["message"])}


def _compact(iban: str) -> str:
    return iban.replace(" ", "").upper()


def _is_iban(iban: str) -> bool:
    """Country, check digits and account, with the check digits right (ISO 13616)."""
    if not _IBAN.fullmatch(iban):
        return False
    rearranged = iban[4:] + iban[:4]
    return int("".join(str(int(each, 36)) for each in rearranged)) % 97 == 1
