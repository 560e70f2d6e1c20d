"""What a shopper fills in on the payment page, and what is wrong with it."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from sandbox.stripe.errors import StripeError
from sandbox.stripe.form_texts import FormTexts, reason
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


def problems(
    form: Form, session: JsonObject, texts: FormTexts, *, email_known: bool
) -> dict[str, str]:
    """What must be corrected before anything is tried: messages by field."""
    wrong = []
    if not email_known and not _EMAIL.fullmatch(form.email):
        wrong.append("email")
    if session["amount_total"] == 0:
        pass
    elif form.method not in session["payment_method_types"] or form.method not in METHODS:
        wrong.append("method")
    elif form.method == "card":
        if not re.fullmatch(r"[\d ]{12,23}", form.number):
            wrong.append("number")
        if not _EXPIRY.fullmatch(form.expiry):
            wrong.append("expiry")
        if not re.fullmatch(r"\d{3,4}", form.cvc):
            wrong.append("cvc")
        if not form.name:
            wrong.append("name")
    elif form.method == "sepa_debit":
        if not _is_iban(_compact(form.iban)):
            wrong.append("iban")
        if not form.holder:
            wrong.append("holder")
    return {field: texts[f"wrong_{field}"] for field in wrong}


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


def refusal(error: StripeError, texts: FormTexts) -> dict[str, str]:
    """Stripe's answer to a payment: a message for a field of the card, or for the whole form."""
    details = error.error
    field = _CARD_FIELDS.get(str(details.get("param")), "")
    said = reason(texts, details.get("code"), details.get("decline_code"))
    return {field: said}


def _compact(iban: str) -> str:
    return iban.replace(" ", "").upper()


def _is_iban(iban: str) -> bool:
    """Country, check digits and account, with the check digits right (ISO 13616)."""
    if not _IBAN.fullmatch(iban):
        return False
    rearranged = iban[4:] + iban[:4]
    return int("".join(str(int(each, 36)) for each in rearranged)) % 97 == 1
