"""/me: what commercetools lets a shopper read and write with a token of their own.

Tokens of the password flow belong to a customer, those of an anonymous session to no customer yet,
and each opens only what carries its id. The fields of a draft and the update actions are those of
the published API (My Carts, My Customer Profile, My Orders, My Payments), with one rule of the
documentation beside it: once a Payment has a transaction, its shopper can change and delete it no
longer (https://docs.commercetools.com/api/projects/me-payments).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sandbox.commercetools import carts, fields, orders, payments
from sandbox.commercetools.auth import Token
from sandbox.commercetools.calls import Answer, Call
from sandbox.commercetools.customers import CUSTOMERS
from sandbox.commercetools.errors import (
    ApiError,
    AuthError,
    insufficient_scope,
    invalid_field,
    invalid_input,
    invalid_operation,
    not_found,
)
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource, delete, query, update
from sandbox.commercetools.state import Store

_CART_DRAFT = frozenset(
    "currency customerEmail store lineItems taxMode inventoryMode billingAddress shippingAddress"
    " shippingMethod discountCodes country locale custom".split()
)
_LINE_DRAFT = frozenset("key productId variantId sku quantity recurrenceInfo custom".split())
_CART_ACTIONS = (
    "addDiscountCode addLineItem addPayment changeLineItemQuantity recalculate removeDiscountCode"
    " removeLineItem removePayment setBillingAddress setCountry setCustomField setCustomType"
    " setCustomerEmail setLocale setShippingAddress setShippingMethod".split()
)
_CUSTOMER_ACTIONS = (
    "addAddress changeEmail setCompanyName setCustomField setCustomType setFirstName setLastName"
    " setLocale setMiddleName setTitle".split()
)
_PAYMENT_ACTIONS = (
    "addTransaction changeAmountPlanned setCustomField setMethodInfoCustomField"
    " setMethodInfoCustomType setMethodInfoInterface setMethodInfoInterfaceAccount"
    " setMethodInfoMethod setMethodInfoName setTransactionCustomField".split()
)
_PAYMENT_FIELDS = (
    "id version customer anonymousId amountPlanned paymentMethodInfo transactions custom".split()
)


@dataclass(frozen=True)
class Shopper:
    """Whose token it is: a customer's, or an anonymous session's."""

    customer_id: str | None
    anonymous_id: str | None

    def owns(self, document: Document) -> bool:
        """Is this cart, order or payment the shopper's?"""
        customer_id = document.get("customerId", document.get("customer", {}).get("id"))
        if self.customer_id is not None:
            return bool(customer_id == self.customer_id)
        return customer_id is None and document.get("anonymousId") == self.anonymous_id


def shopper(token: Token) -> Shopper:
    """Whose the token is; 403 for a token of no shopper."""
    found = Shopper(token.shopper_id("customer"), token.shopper_id("anonymous"))
    if found.customer_id is None and found.anonymous_id is None:
        raise insufficient_scope(["customer_id", "anonymous_id"])
    return found


def authenticate(store: Store, email: str, password: str) -> str:
    """The id of the customer with an e-mail address and password."""
    found = store.collection("customer").find("email", email)
    if not found or store.passwords.get(found[0]["id"]) != password:
        raise AuthError(
            400,
            "invalid_customer_account_credentials",
            "Customer account with the given credentials not found.",
        )
    return str(found[0]["id"])


def _only(names: list[str], resource: Resource) -> Resource:
    return replace(resource, actions={name: resource.actions[name] for name in names})


def _check_action(store: Store, payment: Document, action: str) -> None:
    stored = store.collection("payment").get(payment["id"])
    if stored is not None and stored["transactions"]:
        raise invalid_operation(f"A payment with transactions cannot be changed: '{action}'.")


def _add_transaction(store: Store, payment: Document, action: Document) -> None:
    """Only what is requested, never what happened: an Initial Authorization or Charge."""
    transaction = fields.need_obj(action, "transaction")
    _check_transaction(transaction)
    payments.PAYMENTS.actions["addTransaction"](store, payment, action)


def _check_transaction(transaction: Document) -> None:
    if fields.text(transaction, "type") not in ("Authorization", "Charge"):
        raise invalid_field("type", transaction.get("type"), ["Authorization", "Charge"])
    if transaction.get("state", "Initial") != "Initial":
        raise invalid_field("state", transaction["state"], ["Initial"])


def _has_no_transactions(_: Store, payment: Document) -> None:
    if payment["transactions"]:
        raise invalid_operation("A payment with transactions cannot be deleted.")


_CUSTOMER = replace(_only(_CUSTOMER_ACTIONS, CUSTOMERS), manage=("manage_my_profile",))
_CARTS = replace(_only(_CART_ACTIONS, carts.CARTS), manage=("manage_my_orders",))
_ORDERS = replace(orders.ORDERS, manage=("manage_my_orders",), actions={}, deletable=False)
_limited = _only(_PAYMENT_ACTIONS, payments.PAYMENTS)
_PAYMENTS = replace(
    _limited,
    manage=("manage_my_payments",),
    actions={**_limited.actions, "addTransaction": _add_transaction},
    guard=_check_action,
    before_delete=_has_no_transactions,
)
RIGHTS = {"": _CUSTOMER, "carts": _CARTS, "active-cart": _CARTS, "orders": _ORDERS}
RIGHTS["payments"] = _PAYMENTS


def resource_of(call: Call) -> Resource:
    """What a path below /me is about, with the shopper's rights; 404 for any other path."""
    name = call.path.get("resource", "")
    if name not in RIGHTS:
        raise not_found(f"path 'me/{name}'")
    return RIGHTS[name]


def answer(store: Store, resource: Resource, shopper: Shopper, call: Call) -> Answer:
    """Read or write something of the shopper's; 404 for what is not."""
    name, reference = call.path.get("resource"), call.path.get("reference")
    if name is None:
        return 200, _my_profile(store, shopper, call)
    if name == "active-cart":
        return 200, _active_cart(store, shopper)
    if reference is None and call.method == "GET":
        mine = [each for each in store.collection(resource.type_id) if shopper.owns(each)]
        return 200, query(store, resource, call.parameters, mine)
    if reference is None:
        return 201, _create(store, resource, shopper, call.document())
    document = store.collection(resource.type_id).get(reference)
    if document is None or not shopper.owns(document):
        raise not_found(f"ID '{reference}'")
    if call.method == "POST" and resource.actions:
        return 200, update(store, resource, document, call.document())
    if call.method == "DELETE" and resource.deletable:
        version = call.version()
        if version is None:
            raise invalid_input("Missing parameter: version.")
        return 200, delete(store, resource, document, version)
    if call.method != "GET":
        raise ApiError(405, "InvalidOperation", "Method Not Allowed")
    return 200, document


def shown(resource: Resource, document: Document) -> Document:
    """What a shopper sees: of a payment neither its ids, nor its status and interactions."""
    if resource is not _PAYMENTS:
        return document
    if "results" in document:
        return {**document, "results": [shown(resource, each) for each in document["results"]]}
    return {name: document[name] for name in _PAYMENT_FIELDS if name in document}


def _my_profile(store: Store, shopper: Shopper, call: Call) -> Document:
    customer = store.collection("customer").get(shopper.customer_id or "")
    if customer is None:
        raise not_found("the customer of this token")
    return (
        update(store, _CUSTOMER, customer, call.document()) if call.method == "POST" else customer
    )


def _active_cart(store: Store, shopper: Shopper) -> Document:
    mine = [
        cart
        for cart in store.collection("cart")
        if shopper.owns(cart) and cart["cartState"] == "Active" and cart["origin"] == "Customer"
    ]
    if not mine:
        raise not_found("an active cart")
    return max(mine, key=lambda cart: str(cart["lastModifiedAt"]))


def _create(store: Store, resource: Resource, shopper: Shopper, draft: Document) -> Document:
    """The shopper's own: whatever else a draft names is ignored, as unknown fields are."""
    if resource is _CARTS:
        lines = [
            {name: line[name] for name in line.keys() & _LINE_DRAFT}
            for line in fields.objects(draft, "lineItems")
        ]
        cart = {name: draft[name] for name in draft.keys() & _CART_DRAFT}
        return carts.create(store, {**cart, "lineItems": lines, **_owner(shopper, "cart")})
    if resource is _PAYMENTS:
        transaction = fields.obj(draft, "transaction")
        if transaction is not None:
            _check_transaction(transaction)
        known = {"amountPlanned", "paymentMethodInfo", "custom"}
        payment = {name: draft[name] for name in draft.keys() & known}
        payment["transactions"] = [] if transaction is None else [transaction]
        return payments.create(store, {**payment, **_owner(shopper, "payment")})
    cart = store.resolve("cart", {"id": fields.need_text(draft, "id")})
    if not shopper.owns(cart):
        raise not_found(f"ID '{cart['id']}'")
    return orders.create(store, {"cart": {"id": cart["id"]}, "version": draft.get("version")})


def _owner(shopper: Shopper, type_id: str) -> Document:
    if shopper.customer_id is None:
        return {"anonymousId": shopper.anonymous_id}
    if type_id == "payment":
        return {"customer": {"typeId": "customer", "id": shopper.customer_id}}
    return {"customerId": shopper.customer_id}
