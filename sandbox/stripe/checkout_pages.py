"""The pages that shoppers see at Stripe: where a session is paid, and the bank's challenge."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import jinja2
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.shown_cards import SHOWN_CARDS
from sandbox.stripe import attempts, checkout, checkout_form, checkout_money, checkout_payment
from sandbox.stripe import methods as payment_methods
from sandbox.stripe.checkout_form import Form
from sandbox.stripe.errors import StripeError
from sandbox.stripe.form_texts import form_texts, reason
from sandbox.stripe.forms import decode
from sandbox.stripe.objects import JsonObject
from sandbox.stripe.page_texts import page_texts
from sandbox.stripe.state import StripeState

_ASSETS = {"checkout.css": "text/css", "checkout.js": "text/javascript"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' http: https: data:;"
    " connect-src 'self';"
    # A form is answered with a redirect to the shop, which browsers count as its target too.
    " form-action 'self' http: https:; base-uri 'none'; frame-ancestors {ancestors}"
)
_Endpoint = Callable[[Request], Awaitable[Response]]


def routes(state: StripeState) -> list[Route]:
    """The pages of the account `state`."""
    pages = _Pages(state)
    return [
        Route("/c/pay/{id}", pages.show, methods=["GET"]),
        Route("/c/pay/{id}", pages.pay, methods=["POST"]),
        Route("/c/recover/{id}", pages.recover, methods=["GET"]),
        Route("/redirect/authenticate/{id}", pages.challenge, methods=["GET"]),
        Route("/redirect/authenticate/{id}", pages.answer, methods=["POST"]),
        Route("/c/assets/{name}", _asset, methods=["GET"]),
    ]


def down(state: StripeState) -> Callable[[Request, int], Response]:
    """The page in place of all others while Stripe fails."""
    return _Pages(state).down


class _Pages:
    """The pages over one account."""

    def __init__(self, state: StripeState) -> None:
        self._state = state
        self._templates = jinja2.Environment(
            autoescape=True,
            loader=jinja2.PackageLoader("sandbox.stripe", "pages"),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        self._templates.globals.update(cards=SHOWN_CARDS)

    async def show(self, request: Request) -> Response:
        """The session's page: the form while it is open, else its result."""
        session = self._session(request)
        if session is None:
            return self._unknown(request)
        if session["status"] != "open":
            return self._closed(request, session)
        intent = self._intent(session)
        if intent is not None and intent["status"] == "requires_action":
            return _see(attempts.action_page(self._state, intent))
        error = (intent or {}).get("last_payment_error")
        texts = form_texts(_locale(session, request))
        said = reason(texts, error.get("code"), error.get("decline_code")) if error else None
        return self._form(request, session, Form(), {"": said} if said else {})

    async def pay(self, request: Request) -> Response:
        """Try to pay. Sent twice, the second comes to where the first one led."""
        form = checkout_form.read(await request.body())
        # Nothing waits from here on: two submissions cannot meet half-way.
        state, session = self._state, self._session(request)
        if session is None:
            return self._unknown(request)
        intent = self._intent(session)
        waits = intent is not None and intent["status"] == "requires_action"
        if session["status"] != "open" or waits:
            return self._onward(request, session)
        texts = form_texts(_locale(session, request))
        known = checkout.fixed_email(state, session)
        errors = checkout_form.problems(form, session, texts, email_known=known is not None)
        if errors:
            return self._form(request, session, form, errors, 422)
        email = known or form.email
        shopper = checkout_payment.Shopper(email, checkout_form.holder(form))
        try:
            method = None
            if session["amount_total"]:
                method = payment_methods.build(state, checkout_form.method_data(form, email))
                state.methods.add(method)
            checkout_payment.pay(state, session, method, shopper, form.shipping_rate or None)
        except StripeError as error:
            refusal = checkout_form.refusal(error, texts)
            return self._form(request, session, form, refusal, error.status)
        return self._onward(request, session)

    async def recover(self, request: Request) -> Response:
        """A fresh session in place of one that expired."""
        session = self._session(request)
        try:
            copy = None if session is None else checkout_payment.recover(self._state, session)
        except StripeError:  # a coupon of the old session may be used up
            copy = None
        return self._unknown(request) if copy is None else _see(copy["url"])

    async def challenge(self, request: Request) -> Response:
        """The bank asks whether it is really the shopper who pays."""
        self._state.run_due()
        intent = self._challenged(request)
        if intent is None:
            return self._unknown(request)
        if intent["status"] != "requires_action":
            return self._after_challenge(request, intent, None)
        method = self._state.methods[intent["payment_method"]]
        locale = _locale(self._state.sessions_by_intent.get(intent["id"]), request)
        return self._page(
            "challenge.html",
            framed=True,
            amount=checkout_money.written(intent["amount"], intent["currency"], locale),
            method=method,
            texts=page_texts(locale),
        )

    async def answer(self, request: Request) -> Response:
        """The shopper's answer; given twice, the first one counts."""
        outcome = decode((await request.body()).decode(errors="replace")).get("outcome")
        self._state.run_due()
        intent = self._challenged(request)
        if intent is None:
            return self._unknown(request)
        return_url = None
        if intent["status"] == "requires_action":
            return_url = (intent["next_action"].get("redirect_to_url") or {}).get("return_url")
            attempts.finish_action(self._state, intent, succeed=outcome == "succeed")
        return self._after_challenge(request, intent, return_url)

    def down(self, request: Request, status: int) -> Response:
        """Stripe fails with a status: what a shopper has to know then."""
        texts = form_texts(_preferred_language(request))
        url = request.url
        path = f"{url.path}?{url.query}" if url.query else url.path
        return self._page("down.html", status, framed=True, texts=texts, path=path)

    def _session(self, request: Request) -> JsonObject | None:
        self._state.run_due()
        return self._state.sessions.get(request.path_params["id"])

    def _intent(self, session: JsonObject) -> JsonObject | None:
        return self._state.intents.get(session["payment_intent"] or "")

    def _challenged(self, request: Request) -> JsonObject | None:
        """The intent of a challenge, for those who know its secret."""
        intent = self._state.intents.get(request.path_params["id"])
        secret = request.query_params.get("client_secret", "")
        if intent is None or not hmac.compare_digest(
            secret.encode(), str(intent["client_secret"]).encode()
        ):
            return None
        return intent

    def _onward(self, request: Request, session: JsonObject) -> Response:
        """To the bank, back to the shop, or to the page that says how things stand."""
        intent = self._intent(session)
        waits = intent is not None and intent["status"] == "requires_action"
        if intent is not None and waits and not attempts.is_outside(intent):
            return _lead(request, attempts.action_page(self._state, intent))
        target = checkout.after_payment(session)
        if session["status"] != "complete" or target is None:
            return _lead(request, checkout.page_url(self._state, session["id"]))
        paid = session["payment_status"] != "unpaid"
        if session["ui_mode"] == "hosted_page":
            return _lead(request, target, paid=paid)
        # Embedded in the shop's page: the whole page has to go on, not the frame alone.
        if _by_script(request):
            return _lead(request, target, paid=paid, whole=True)
        texts = form_texts(_locale(session, request))
        return self._page("leave.html", framed=True, target=target, texts=texts)

    def _after_challenge(
        self, request: Request, intent: JsonObject, return_url: str | None
    ) -> Response:
        session = self._state.sessions_by_intent.get(intent["id"])
        if session is not None:
            return self._onward(request, session)
        failed = intent["status"] == "requires_payment_method"
        if return_url is None:
            texts = form_texts(_preferred_language(request))
            return self._page("answered.html", framed=True, failed=failed, texts=texts)
        return _see(
            _with_query(
                return_url,
                payment_intent=intent["id"],
                payment_intent_client_secret=intent["client_secret"],
                redirect_status="failed" if failed else "succeeded",
            )
        )

    def _form(
        self,
        request: Request,
        session: JsonObject,
        form: Form,
        errors: dict[str, str],
        status: int = 200,
    ) -> Response:
        state = self._state
        locale = _locale(session, request)
        texts = form_texts(locale)
        submit = session["submit_type"] or "auto"
        offered = [
            each for each in checkout_form.METHODS if each in session["payment_method_types"]
        ]
        cost = session["shipping_cost"]
        return self._page(
            "pay.html",
            status,
            framed=session["ui_mode"] != "hosted_page",
            session=session,
            money=lambda amount: checkout_money.written(amount, session["currency"], locale),
            merchant=_merchant(session) or texts["shop"],
            lines=[
                {**each, "product": state.products[each["price"]["product"]]}
                for each in state.session_contents[session["id"]].items
            ],
            coupon=state.session_contents[session["id"]].coupon,
            shipping=[
                {**each, "name": state.shipping_rates[each["shipping_rate"]]["display_name"]}
                for each in session["shipping_options"]
            ],
            chosen_rate=form.shipping_rate or (cost and cost["shipping_rate"]),
            email=checkout.fixed_email(state, session),
            offered=offered,
            chosen=form.method if form.method in offered else (offered or [""])[0],
            form=form,
            errors=errors,
            texts=texts,
            verb=texts["pay" if submit == "auto" else submit].split("{}"),
        )

    def _closed(self, request: Request, session: JsonObject) -> Response:
        complete = session["status"] == "complete"
        target = checkout.after_payment(session) if complete else _way_back(session)
        intent = self._intent(session)
        if not complete:
            kind = "expired"
        elif intent is None or intent["status"] in ("requires_capture", "succeeded"):
            kind = "paid"
        else:
            kind = "processing" if intent["status"] == "processing" else "failed"
        return self._page(
            "closed.html",
            framed=session["ui_mode"] != "hosted_page",
            kind=kind,
            texts=page_texts(_locale(session, request)),
            target=target,
            session=session,
        )

    def _unknown(self, request: Request) -> Response:
        return self._page("unknown.html", 404, texts=form_texts(_preferred_language(request)))

    def _page(
        self, template: str, status: int = 200, *, framed: bool = False, **values: Any
    ) -> Response:
        html = self._templates.get_template(template).render(values)
        headers = {
            "cache-control": "no-store",
            "content-security-policy": _POLICY.format(ancestors="*" if framed else "'none'"),
            "referrer-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        return Response(html, status, headers, "text/html")


async def _asset(request: Request) -> Response:
    name = request.path_params["name"]
    kind = _ASSETS.get(name)
    if kind is None:
        return Response(status_code=404)
    content = resources.files("sandbox.stripe").joinpath("pages", name).read_bytes()
    return Response(content, headers={"cache-control": "no-cache"}, media_type=kind)


def _see(url: str) -> Response:
    return RedirectResponse(url, 303, {"cache-control": "no-store"})


def _by_script(request: Request) -> bool:
    """Whether the page's script asks, which finds out by itself what went wrong on the way."""
    return request.headers.get("accept") == "application/json"


def _lead(request: Request, url: str, *, paid: bool = False, whole: bool = False) -> Response:
    """On to another page; `whole` where that is for the shop's page, not for the frame in it."""
    if not _by_script(request):
        return _see(url)
    answer = {"location": url, "paid": paid, "whole": whole}
    return JSONResponse(answer, headers={"cache-control": "no-store"})


def _way_back(session: JsonObject) -> str | None:
    """The shop, for those who cannot pay any more."""
    known: str | None = session["cancel_url"]
    target = checkout.after_payment(session)
    if known is not None or target is None:
        return known
    parts = urlsplit(target)
    return urlunsplit((parts.scheme, parts.netloc, "/", "", ""))


def _merchant(session: JsonObject) -> str:
    """The shop as the shopper knows it: by its address; empty where that is unknown."""
    return urlsplit(_way_back(session) or "").netloc


def _locale(session: JsonObject | None, request: Request) -> str:
    """The language that the merchant has set, else the browser's."""
    locale: str | None = session["locale"] if session is not None else None
    return _preferred_language(request) if locale is None or locale == "auto" else locale


def _preferred_language(request: Request) -> str:
    """The first language that the browser asks for."""
    return request.headers.get("accept-language", "en").partition(",")[0].partition(";")[0]


def _with_query(url: str, **added: str) -> str:
    parts = urlsplit(url)
    query = [*parse_qsl(parts.query, keep_blank_values=True), *added.items()]
    return urlunsplit(parts._replace(query=urlencode(query)))
