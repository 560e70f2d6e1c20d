"""The pages around Stripe's: before it, after it, and when the shopper turns back."""

from __future__ import annotations

from importlib import resources

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from stripe_connector.http.bff.texts import LANGUAGES, PageTexts
from stripe_connector.money import MoneyDraft, iso_digits
from stripe_connector.storefront.purchases import ItemForSale, PageOutcome

_PACKAGE = "stripe_connector.http.bff"
_STYLE = "buy_now.css"
STYLE_PATH = f"/buy-now/{_STYLE}"


class Message(Struct, frozen=True):
    """A page that says one thing."""

    title: str
    text: str
    order_number: str | None = None
    again: bool = False
    """Whether asking again may bring another answer."""


class Pages:
    """Renders the pages in the reader's language, of those that there are."""

    def __init__(self, form_targets: str) -> None:
        """`form_targets` are the sources to which a form may lead, its redirects included."""
        # Imported where buy-now is enabled.
        from jinja2 import Environment, PackageLoader, StrictUndefined

        self._templates = Environment(
            autoescape=True,
            loader=PackageLoader(_PACKAGE, "pages"),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        self._policy = (
            f"default-src 'none'; style-src 'self'; form-action {form_targets};"
            " base-uri 'none'; frame-ancestors 'none'"
        )

    def offer(self, request: Request, item: ItemForSale) -> Response:
        """The product with its price, and the button that buys it."""
        texts = texts_for(request)
        price = written(item.price, texts)
        return self._page("offer.html", texts, title=item.name, item=item, price=price)

    def outcome(self, request: Request, outcome: PageOutcome) -> Response:
        """Whether the payment succeeded."""
        texts = texts_for(request)
        match outcome.state:
            case "paid":
                message = Message(texts.paid_title, texts.paid, outcome.order_number)
            case "processing":
                message = Message(texts.processing_title, texts.processing, again=True)
            case "open":
                message = Message(texts.open_title, texts.open, again=True)
            case "failed":
                message = Message(texts.failed_title, texts.failed)
        return self._message(texts, message)

    def canceled(self, request: Request) -> Response:
        texts = texts_for(request)
        return self._message(texts, Message(texts.canceled_title, texts.canceled))

    def unknown(self, request: Request) -> Response:
        """The address names no payment of ours."""
        texts = texts_for(request)
        return self._message(texts, Message(texts.unknown_title, texts.unknown), 404)

    def style(self) -> Response:
        sheet = resources.files(_PACKAGE).joinpath("pages", _STYLE).read_bytes()
        return Response(sheet, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    def _message(self, texts: PageTexts, message: Message, status: int = 200) -> Response:
        return self._page("message.html", texts, status, title=message.title, message=message)

    def _page(self, name: str, texts: PageTexts, status: int = 200, **values: object) -> Response:
        html = self._templates.get_template(name).render(texts=texts, style=STYLE_PATH, **values)
        headers = {
            "Content-Language": texts.language,
            "Content-Security-Policy": self._policy,
            "Vary": "Accept-Language",
        }
        return Response(html, status, headers, media_type="text/html")


def texts_for(request: Request) -> PageTexts:
    """The texts in the language that the reader likes best, of those that there are."""
    wanted: list[tuple[float, str]] = []
    for entry in request.headers.get("accept-language", "").split(","):
        tag, _, parameter = entry.partition(";")
        quality = parameter.strip().removeprefix("q=")
        weight = float(quality) if quality.replace(".", "", 1).isdecimal() else 1.0
        wanted.append((-weight, tag.strip().lower().partition("-")[0]))
    wanted.sort(key=lambda each: each[0])
    known = (LANGUAGES[language] for weight, language in wanted if weight and language in LANGUAGES)
    return next(known, LANGUAGES["en"])


def written(money: MoneyDraft, texts: PageTexts) -> str:
    """An amount such as `12.50 EUR`, with the language's decimal mark."""
    digits = iso_digits(money.currency_code)
    whole, rest = divmod(money.cent_amount, 10**digits)
    decimals = f"{texts.decimal_mark}{rest:0{digits}}" if digits else ""
    return f"{whole}{decimals}\N{NO-BREAK SPACE}{money.currency_code}"
