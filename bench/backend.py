"""commercetools and Stripe at minimal cost: enough state for each flow, no rules.

Its own routes, `/_bench/...`, set what it prepares, how long it waits before it answers, and
whether it records calls.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs
from uuid import UUID

import msgspec
from msgspec import Struct

from bench.samples import PROJECT, Samples

Json = dict[str, Any]

FIRST = "first"
"""A cart that exists from the start, for the request that waits for a processor's start."""
CUSTOMER_FIELD = "stripeConnector_stripeCustomerId"
_SCOPE = f"manage_project:{PROJECT} manage_checkout_payment_intents:{PROJECT}"


class Prepared(Struct):
    """One shopper's situation, ready to be measured."""

    cart: str
    session: str
    order: str = ""
    payment: str = ""
    intent: str = ""
    event: Json = {}
    refund_event: Json = {}


class Size(Struct, frozen=True):
    """The size of a situation, if its growth is measured."""

    lines: int = 3
    """Of the cart; the sample's own unless asked for."""
    refunds: int = 1
    """At Stripe and, but for the last, in the payment."""
    payments: int = 0
    """Refused ones that are already on the cart."""
    methods: int = 0
    """Stored by the cart's customer."""
    history: int = 0
    """Payments that the customer has made; all situations have the same customer then."""


class Reply(Struct):
    status: int
    body: bytes


class Backends:
    """Both backends in one."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._numbers = itertools.count(1)
        self._carts: dict[str, Json] = {FIRST: {**samples.cart, "id": FIRST}}
        self._payments: dict[str, Json] = {}
        self._by_interface_id: dict[str, Json] = {}
        self._intents: dict[str, Json] = {}
        self._refunds: dict[str, list[Json]] = {}
        self._orders: dict[str, Json] = {}
        self._methods: dict[str, int] = {}
        """Number of methods that each customer has stored."""
        self._returned: dict[int, str] = {}
        """Customers by the number of payments that they have made."""
        self._payments_of: dict[str, list[Json]] = {}
        expires = datetime.now(UTC) + timedelta(days=1)
        self._expiry = expires.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        self._routes: dict[tuple[str, str], Callable[[str, str, bytes], Json]] = {
            ("POST", "/oauth/token"): self._token,
            ("POST", "/oauth/introspect"): self._introspect,
            ("GET", f"/{PROJECT}/sessions"): self._session,
            ("GET", f"/{PROJECT}/carts"): self._cart,
            ("POST", f"/{PROJECT}/carts"): self._add_payment,
            ("GET", f"/{PROJECT}/payments"): self._payment,
            ("POST", f"/{PROJECT}/payments"): self._write_payment,
            ("GET", f"/{PROJECT}/customers"): self._customer,
            ("GET", f"/{PROJECT}/orders"): self._order,
            ("POST", f"/{PROJECT}/orders"): self._add_payment_to_order,
            ("GET", f"/{PROJECT}/payment-methods"): self._stored_methods,
            ("GET", "/v1/account"): self._account,
            ("GET", "/v1/payment_intents"): self._intent,
            ("POST", "/v1/payment_intents"): self._write_intent,
            ("GET", "/v1/refunds"): self._list_refunds,
            ("GET", "/v1/customers"): self._stripe_customer,
            ("POST", "/v1/ephemeral_keys"): self._ephemeral_key,
            ("POST", "/v1/customer_sessions"): self._customer_session,
            ("POST", "/v1/checkout"): self._checkout_session,
        }

    def answer(self, method: str, target: str, body: bytes) -> Reply:
        """A backend's answer to a request; 404 if it has none."""
        path, _, query = target.partition("?")
        root = "/".join(path.split("/", 3)[:3])
        handler = self._routes.get((method, root))
        if handler is None:
            return Reply(404, b'{"message":"the benchmark has no such route"}')
        try:
            answer = handler(path[len(root) + 1 :], query, body)
        except (KeyError, ValueError) as error:
            return Reply(404, msgspec.json.encode({"message": f"unknown: {error}"}))
        return Reply(200, msgspec.json.encode(answer))

    # Preparation for the benchmark

    def prepare(self, kind: str, count: int, size: Size) -> list[Prepared]:
        """Carts of guests, of customers, ordered, with a started payment, or paid (or held)."""
        return [self._prepared(kind, size) for _ in range(count)]

    def _prepared(self, kind: str, size: Size) -> Prepared:
        cart = self._new_cart(size.lines)
        earlier = [self._refused(cart["id"], number) for number in range(1, size.payments + 1)]
        if earlier:
            cart["paymentInfo"] = {"payments": earlier}
        prepared = Prepared(cart["id"], f"{cart['id']}_1")
        if kind == "customer":
            cart["customerId"] = self._returning(size.history) if size.history else self._uuid()
            self._methods[cart["customerId"]] = size.methods
        if kind == "ordered":
            prepared.order = self._new_order(cart)["id"]
        if kind in ("guest", "customer", "ordered"):
            return prepared
        payment = self._new_payment(cart["id"])
        ties = {
            "cart_id": cart["id"],
            "ct_project_key": PROJECT,
            "ct_payment_id": payment["id"],
        }
        intent = self._new_intent(ties)
        payment["interfaceId"] = intent["id"]
        self._by_interface_id[intent["id"]] = payment
        cart["paymentInfo"] = {"payments": [{"typeId": "payment", "id": payment["id"]}]}
        prepared.payment, prepared.intent = payment["id"], intent["id"]
        if kind == "started":
            return prepared
        held = kind == "held"
        self._pay(intent, self._samples.held_intent if held else self._samples.paid_intent)
        suffix = "amount_capturable_updated" if held else "succeeded"
        unexpanded = {**intent, "latest_charge": intent["latest_charge"]["id"]}
        prepared.event = self._event(f"payment_intent.{suffix}", unexpanded)
        if not held:
            prepared.refund_event = self._refund(payment, intent, size.refunds)
        return prepared

    def _returning(self, payments: int) -> str:
        """The customer who has made so many payments, each for another cart."""
        if payments not in self._returned:
            customer_id = self._returned[payments] = self._uuid()
            own = self._payments_of[customer_id] = []
            for _ in range(payments):
                payment = self._new_payment(self._uuid())
                own.append(payment)
                payment["customer"] = {"typeId": "customer", "id": customer_id}
                intent = self._new_intent({"ct_payment_id": payment["id"]})
                self._pay(intent, self._samples.paid_intent)
                payment["interfaceId"] = intent["id"]
                self._by_interface_id[intent["id"]] = payment
                self._add(payment, "Charge", "Success", intent["id"])
        return self._returned[payments]

    def _refused(self, cart_id: str, number: int) -> Json:
        """An earlier failed attempt, as a cart refers to it."""
        payment = self._new_payment(cart_id, number)
        intent = self._new_intent({"cart_id": cart_id, "ct_payment_id": payment["id"]})
        intent["status"] = "canceled"
        payment["interfaceId"] = intent["id"]
        self._add(payment, "Authorization", "Failure", intent["id"])
        return {"typeId": "payment", "id": payment["id"]}

    def _refund(self, payment: Json, intent: Json, count: int) -> Json:
        """Refunds of one cent each; a single one has the sample's amount."""
        charge = intent["latest_charge"]
        amount = 1 if count > 1 else self._samples.refund["amount"]
        refunds = [
            {
                **self._samples.refund,
                "id": f"re_{next(self._numbers):024d}",
                "payment_intent": intent["id"],
                "charge": charge["id"],
                "amount": amount,
            }
            for _ in range(count)
        ]
        self._refunds[intent["id"]] = refunds
        for each in refunds[1:]:
            self._add(payment, "Refund", "Success", each["id"], amount)
        # A Refund object is a refund only if its charge counts it.
        charge["amount_refunded"] = amount * count
        return self._event("charge.refunded", charge)

    def _add(
        self, payment: Json, type_: str, state: str, interaction: str, amount: int | None = None
    ) -> None:
        planned = payment["amountPlanned"]
        payment["transactions"].append(
            {
                "id": self._uuid(),
                "type": type_,
                "state": state,
                "interactionId": interaction,
                "amount": planned if amount is None else {**planned, "centAmount": amount},
            }
        )

    # commercetools

    def _token(self, _rest: str, _query: str, _body: bytes) -> Json:
        return {
            "access_token": f"token-{next(self._numbers)}",
            "token_type": "Bearer",
            "expires_in": 172_800,
            "scope": _SCOPE,
        }

    def _introspect(self, _rest: str, _query: str, _body: bytes) -> Json:
        return {"active": True, "scope": _SCOPE, "client_id": "checkout"}

    def _session(self, session_id: str, _query: str, _body: bytes) -> Json:
        """A session id names its cart, so callers can use any number without creating them."""
        cart_id = session_id.partition("_")[0]
        return {
            **self._samples.session,
            "id": session_id,
            "expiryAt": self._expiry,
            "activeCart": {"cartRef": {"id": cart_id}},
        }

    def _cart(self, cart_id: str, _query: str, _body: bytes) -> Json:
        return self._expanded(self._carts[cart_id])

    def _order(self, order_id: str, _query: str, _body: bytes) -> Json:
        return self._expanded(self._orders[order_id])

    def _add_payment(self, cart_id: str, _query: str, body: bytes) -> Json:
        return self._added(self._carts[cart_id], body)

    def _add_payment_to_order(self, order_id: str, _query: str, body: bytes) -> Json:
        return self._added(self._orders[order_id], body)

    def _added(self, cart: Json, body: bytes) -> Json:
        for action in msgspec.json.decode(body)["actions"]:
            before = cart.get("paymentInfo", {"payments": []})["payments"]
            cart["paymentInfo"] = {"payments": [*before, action["payment"]]}
        cart["version"] += 1
        return self._expanded(cart)

    def _expanded(self, cart: Json) -> Json:
        if "paymentInfo" not in cart:
            return cart
        expanded = [
            {**reference, "obj": self._payments[reference["id"]]}
            for reference in cart["paymentInfo"]["payments"]
        ]
        return {**cart, "paymentInfo": {"payments": expanded}}

    def _payment(self, payment_id: str, query: str, _body: bytes) -> Json:
        if payment_id:
            return self._payments[payment_id]
        where, _, value = parse_qs(query)["where"][0].partition('"')
        value = value.partition('"')[0]
        if where.startswith("customer("):
            own = self._payments_of[value]
            return {"limit": len(own), "offset": 0, "count": len(own), "results": own}
        found = self._by_interface_id.get(value)
        return {"limit": 1, "offset": 0, "count": 1, "results": [found] if found else []}

    def _write_payment(self, payment_id: str, _query: str, body: bytes) -> Json:
        asked = msgspec.json.decode(body)
        if not payment_id:
            cart_id, _, number = asked.get("key", "").partition("_")
            created = self._new_payment(cart_id, int(number or 1))
            for each in asked.get("transactions", []):
                self._apply(created, {"action": "addTransaction", "transaction": each})
            return created
        payment = self._payments[payment_id]
        for action in asked["actions"]:
            self._apply(payment, action)
        payment["version"] += 1
        if "interfaceId" in payment:
            self._by_interface_id[payment["interfaceId"]] = payment
        return payment

    def _apply(self, payment: Json, action: Mapping[str, Any]) -> None:
        match action["action"]:
            case "setInterfaceId":
                payment["interfaceId"] = action["interfaceId"]
            case "setStatusInterfaceCode":
                payment["paymentStatus"]["interfaceCode"] = action["interfaceCode"]
            case "setStatusInterfaceText":
                payment["paymentStatus"]["interfaceText"] = action["interfaceText"]
            case "setMethodInfoMethod":
                payment["paymentMethodInfo"]["method"] = action["method"]
            case "addInterfaceInteraction":
                type_ = {"typeId": "type", "id": self._uuid()}
                interaction = {"type": type_, "fields": action["fields"]}
                payment.setdefault("interfaceInteractions", []).append(interaction)
            case "addTransaction":
                draft = action["transaction"]
                transaction = {
                    "state": "Initial",
                    **draft,
                    "id": self._uuid(),
                    "amount": {**payment["amountPlanned"], **draft["amount"]},
                }
                if "custom" in draft:
                    type_ = {"typeId": "type", "id": self._uuid()}
                    transaction["custom"] = {**draft["custom"], "type": type_}
                payment["transactions"].append(transaction)
            case "changeTransactionState":
                self._transaction(payment, action)["state"] = action["state"]
            case "setTransactionInterfaceId":
                self._transaction(payment, action)["interfaceId"] = action["interfaceId"]
            case "changeTransactionInteractionId":
                self._transaction(payment, action)["interactionId"] = action["interactionId"]
            case other:
                raise KeyError(other)

    def _transaction(self, payment: Json, action: Mapping[str, Any]) -> Json:
        id_ = action["transactionId"]
        found: Json = next(each for each in payment["transactions"] if each["id"] == id_)
        return found

    def _customer(self, customer_id: str, _query: str, _body: bytes) -> Json:
        custom = {
            "type": {"typeId": "type", "id": "11111111-0000-4000-8000-000000000000"},
            "fields": {CUSTOMER_FIELD: f"cus_{UUID(customer_id).hex}"},
        }
        return {**self._samples.customer, "id": customer_id, "custom": custom}

    def _stored_methods(self, _rest: str, query: str, _body: bytes) -> Json:
        customer_id = parse_qs(query)["where"][0].split('"')[1]
        interface = {"paymentInterface": "checkout-stripe", "method": "card"}
        results = [
            {
                "id": f"{customer_id[:24]}{number:012d}",
                "version": 1,
                "createdAt": self._expiry,
                "customer": {"typeId": "customer", "id": customer_id},
                "token": {"value": _token(customer_id, number)},
                "paymentMethodStatus": "Active",
                "default": False,
                **interface,
            }
            for number in range(self._methods[customer_id])
        ]
        return {"limit": 500, "offset": 0, "count": len(results), "results": results}

    def _new_order(self, cart: Json) -> Json:
        lines = {"lineItems": cart["lineItems"], "cart": {"typeId": "cart", "id": cart["id"]}}
        order = {**self._samples.order, "id": self._uuid(), **lines}
        self._orders[order["id"]] = order
        return order

    def _new_cart(self, lines: int) -> Json:
        """The sample's lines, repeated; the total is unchanged, so that payments stay alike."""
        samples = self._samples.cart["lineItems"]
        repeated = itertools.islice(itertools.cycle(samples), lines)
        cart = {
            **self._samples.cart,
            "id": self._uuid(),
            "lineItems": [{**each, "id": self._uuid()} for each in repeated],
        }
        self._carts[cart["id"]] = cart
        return cart

    def _new_payment(self, cart_id: str, number: int = 1) -> Json:
        payment = {
            **self._samples.payment,
            "id": self._uuid(),
            "key": f"{cart_id}_{number}",
            "createdAt": datetime.now(UTC).isoformat(timespec="milliseconds")[:-6] + "Z",
            "paymentMethodInfo": {"paymentInterface": "checkout-stripe"},
            "paymentStatus": {},
            "transactions": [],
            "interfaceInteractions": [],
        }
        self._payments[payment["id"]] = payment
        return payment

    # Stripe

    def _account(self, _rest: str, _query: str, _body: bytes) -> Json:
        return {"id": "acct_bench", "object": "account"}

    def _intent(self, intent_id: str, query: str, _body: bytes) -> Json:
        """With the latest ten refunds of its charge, if asked to expand them."""
        intent = self._intents[intent_id]
        if "latest_charge.refunds" not in query or intent_id not in self._refunds:
            return intent
        refunds = _page(self._refunds[intent_id], "")
        return {**intent, "latest_charge": {**intent["latest_charge"], "refunds": refunds}}

    def _write_intent(self, rest: str, _query: str, body: bytes) -> Json:
        if rest:
            return self._capture(rest, body)
        form = parse_qs(body.decode())
        ties = {
            name[len("metadata[") : -1]: values[0]
            for name, values in form.items()
            if name.startswith("metadata[")
        }
        return self._new_intent(ties)

    def _capture(self, rest: str, _body: bytes) -> Json:
        intent = self._intents[rest.removesuffix("/capture")]
        self._pay(intent, self._samples.paid_intent)
        return intent

    def _new_intent(self, metadata: dict[str, str]) -> Json:
        id_ = f"pi_{next(self._numbers):024d}"
        secret = f"{id_}_secret_0123456789abcdefghijklmno"
        intent = {
            **self._samples.open_intent,
            "id": id_,
            "client_secret": secret,
            "metadata": metadata,
        }
        self._intents[id_] = intent
        return intent

    def _pay(self, intent: Json, sample: Json) -> None:
        """Bring an intent into the sample's state; it keeps its identity."""
        own = {name: intent[name] for name in ("id", "client_secret", "metadata")}
        charge = {
            **sample["latest_charge"],
            "id": f"ch_{own['id'][3:]}",
            "payment_intent": own["id"],
            "metadata": own["metadata"],
        }
        intent.update({**sample, **own, "latest_charge": charge})

    def _event(self, type_: str, subject: Json) -> Json:
        id_ = f"evt_{next(self._numbers):024d}"
        return {**self._samples.event, "id": id_, "type": type_, "data": {"object": subject}}

    def _list_refunds(self, _rest: str, query: str, _body: bytes) -> Json:
        return _page(self._refunds[parse_qs(query)["payment_intent"][0]], query)

    def _checkout_session(self, _rest: str, _query: str, _body: bytes) -> Json:
        return {**self._samples.checkout_session, "id": f"cs_test_{next(self._numbers)}"}

    def _stripe_customer(self, rest: str, query: str, _body: bytes) -> Json:
        stripe_id, _, methods = rest.partition("/")
        customer_id = str(UUID(stripe_id.removeprefix("cus_")))
        if methods:
            return self._saved(customer_id, query)
        ties = {"ct_customer_id": customer_id, "ct_project_key": PROJECT}
        return {**self._samples.stripe_customer, "id": stripe_id, "metadata": ties}

    def _saved(self, customer_id: str, query: str) -> Json:
        numbers = range(self._methods[customer_id])
        saved = [{**self._samples.saved_card, "id": _token(customer_id, each)} for each in numbers]
        return _page(saved, query)

    def _ephemeral_key(self, _rest: str, _query: str, _body: bytes) -> Json:
        return self._samples.ephemeral_key

    def _customer_session(self, _rest: str, _query: str, _body: bytes) -> Json:
        return self._samples.customer_session

    def _uuid(self) -> str:
        return f"00000000-0000-4000-8000-{next(self._numbers):012d}"


def _page(objects: list[Json], query: str) -> Json:
    """A page of a list as Stripe returns it."""
    asked = parse_qs(query)
    ids = [each["id"] for each in objects]
    after = ids.index(asked["starting_after"][0]) + 1 if "starting_after" in asked else 0
    page = objects[after : after + int(asked.get("limit", ["10"])[0])]
    return {"object": "list", "data": page, "has_more": after + len(page) < len(objects)}


def _token(customer_id: str, number: int) -> str:
    return f"pm_{customer_id.replace('-', '')}{number}"
