"""Payments: what was planned, and the transactions that really happened.

A transaction's amount can never be changed, and `interfaceId` and `paymentInterface` not once
they are set; together those two are unique in the project
(https://docs.commercetools.com/api/projects/payments).
"""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.errors import duplicate_field, invalid_operation, required_field
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.money import read_money
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store

_TYPES = ("Authorization", "CancelAuthorization", "Charge", "Refund", "Chargeback")
_STATES = ("Initial", "Pending", "Success", "Failure")


def create(store: Store, draft: Document) -> Document:
    """A payment of a PaymentDraft."""
    info = fields.obj(draft, "paymentMethodInfo") or {}
    status = fields.obj(draft, "paymentStatus") or {}
    document = present(
        key=fields.key(draft),
        customer=_customer(store, draft),
        anonymousId=fields.text(draft, "anonymousId"),
        interfaceId=fields.text(draft, "interfaceId"),
        externalId=fields.text(draft, "externalId"),
        checkoutTransactionItemId=fields.text(draft, "checkoutTransactionItemId"),
        amountPlanned=read_money(draft, "amountPlanned"),
        paymentMethodInfo=_method_info(store, info),
        paymentStatus=present(
            interfaceCode=fields.text(status, "interfaceCode"),
            interfaceText=fields.text(status, "interfaceText"),
        ),
        transactions=[_transaction(store, t) for t in fields.objects(draft, "transactions")],
        interfaceInteractions=[
            custom_fields.read_custom(store, interaction, "payment-interface-interaction")
            for interaction in fields.objects(draft, "interfaceInteractions")
        ],
        custom=custom_fields.read_custom(store, fields.obj(draft, "custom"), "payment"),
    )
    _settle(store, document)
    return store.insert("payment", document)


def _customer(store: Store, body: Document) -> Document | None:
    identifier = fields.obj(body, "customer")
    if identifier is None:
        return None
    return {"typeId": "customer", "id": store.resolve("customer", identifier)["id"]}


def _token(body: Document) -> Document | None:
    token = fields.obj(body, "token")
    return None if token is None else {"value": fields.need_text(token, "value")}


def _method_info(store: Store, body: Document) -> Document:
    return present(
        paymentInterface=fields.text(body, "paymentInterface"),
        method=fields.text(body, "method"),
        name=fields.obj(body, "name"),
        token=_token(body),
        interfaceAccount=fields.text(body, "interfaceAccount"),
        custom=custom_fields.read_custom(store, fields.obj(body, "custom"), "payment-method-info"),
    )


def _transaction(store: Store, draft: Document) -> Document:
    return present(
        id=store.new_id(),
        type=fields.need_choice(draft, "type", _TYPES),
        amount=read_money(draft, "amount"),
        state=fields.choice(draft, "state", _STATES) or "Initial",
        timestamp=fields.moment(draft, "timestamp"),
        interactionId=fields.text(draft, "interactionId"),
        interfaceId=fields.text(draft, "interfaceId"),
        custom=custom_fields.read_custom(store, fields.obj(draft, "custom"), "transaction"),
    )


def _settle(store: Store, payment: Document) -> None:
    if "customer" in payment and "anonymousId" in payment:
        raise invalid_operation("A payment has either a customer or an anonymousId, not both.")
    seen: set[str] = set()
    for transaction in payment["transactions"]:
        reference = transaction.get("interfaceId")
        if reference in seen:
            raise duplicate_field("transactions.interfaceId", reference)
        if reference is not None:
            seen.add(reference)
    interface_id = payment.get("interfaceId")
    if interface_id is None:
        return
    interface = payment["paymentMethodInfo"].get("paymentInterface")
    for other in store.collection("payment").find("interfaceId", interface_id):
        if other["id"] == payment.get("id"):
            continue
        if other["paymentMethodInfo"].get("paymentInterface") == interface:
            if interface is None:
                raise invalid_operation(
                    f"The interfaceId '{interface_id}' is already used"
                    " without setting a payment interface."
                )
            raise duplicate_field("interfaceId", interface_id)


def _set_text(field: str, _: Store, payment: Document, action: Document) -> None:
    assign(payment, field, fields.text(action, field))


def _set_key(_: Store, payment: Document, action: Document) -> None:
    assign(payment, "key", fields.key(action))


def _set_interface_id(_: Store, payment: Document, action: Document) -> None:
    _set_once(payment, "interfaceId", fields.need_text(action, "interfaceId"))


def _set_once(document: Document, field: str, value: str) -> None:
    if document.get(field, value) != value:
        raise invalid_operation(f"The {field} is already set and cannot be changed.")
    document[field] = value


def _set_customer(store: Store, payment: Document, action: Document) -> None:
    assign(payment, "customer", _customer(store, action))


def _change_amount_planned(_: Store, payment: Document, action: Document) -> None:
    payment["amountPlanned"] = read_money(action, "amount")


def _set_status(field: str, _: Store, payment: Document, action: Document) -> None:
    status = dict(payment["paymentStatus"])
    assign(status, field, fields.text(action, field))
    payment["paymentStatus"] = status


def _set_method_info(store: Store, payment: Document, action: Document) -> None:
    replaced = _method_info(store, action)
    before = payment["paymentMethodInfo"].get("paymentInterface")
    if before is not None and replaced.get("paymentInterface") != before:
        raise invalid_operation("The paymentInterface is already set and cannot be changed.")
    payment["paymentMethodInfo"] = replaced


def _set_method_interface(_: Store, payment: Document, action: Document) -> None:
    info = dict(payment["paymentMethodInfo"])
    _set_once(info, "paymentInterface", fields.need_text(action, "interface"))
    payment["paymentMethodInfo"] = info


def _set_method_field(field: str, _: Store, payment: Document, action: Document) -> None:
    info = dict(payment["paymentMethodInfo"])
    match field:
        case "token":
            assign(info, field, _token(action))
        case "name":
            assign(info, field, fields.obj(action, field))
        case _:
            assign(info, field, fields.text(action, field))
    payment["paymentMethodInfo"] = info


def _set_method_custom_type(store: Store, payment: Document, action: Document) -> None:
    info = dict(payment["paymentMethodInfo"])
    custom_fields.set_type(store, info, action, "payment-method-info")
    payment["paymentMethodInfo"] = info


def _set_method_custom_field(store: Store, payment: Document, action: Document) -> None:
    info = dict(payment["paymentMethodInfo"])
    custom_fields.set_field(store, info, action)
    payment["paymentMethodInfo"] = info


def _add_transaction(store: Store, payment: Document, action: Document) -> None:
    added = _transaction(store, fields.need_obj(action, "transaction"))
    payment["transactions"] = [*payment["transactions"], added]


def _copy_transaction(payment: Document, action: Document) -> Document:
    """The transaction that an action names, as a copy that has taken its place."""
    id_ = fields.need_text(action, "transactionId")
    for position, transaction in enumerate(payment["transactions"]):
        if transaction["id"] == id_:
            copy = dict(transaction)
            replaced = list(payment["transactions"])
            replaced[position] = copy
            payment["transactions"] = replaced
            return copy
    raise invalid_operation(f"The payment has no transaction with the id '{id_}'.")


def _change_transaction_state(_: Store, payment: Document, action: Document) -> None:
    state = fields.need_choice(action, "state", _STATES)
    _copy_transaction(payment, action)["state"] = state


def _change_interaction_id(_: Store, payment: Document, action: Document) -> None:
    interaction_id = fields.need_text(action, "interactionId")
    _copy_transaction(payment, action)["interactionId"] = interaction_id


def _set_transaction_interface_id(_: Store, payment: Document, action: Document) -> None:
    interface_id = fields.text(action, "interfaceId")
    assign(_copy_transaction(payment, action), "interfaceId", interface_id)


def _change_transaction_timestamp(_: Store, payment: Document, action: Document) -> None:
    moment = fields.moment(action, "timestamp")
    if moment is None:
        raise required_field("timestamp")
    _copy_transaction(payment, action)["timestamp"] = moment


def _set_transaction_custom_type(store: Store, payment: Document, action: Document) -> None:
    custom_fields.set_type(store, _copy_transaction(payment, action), action, "transaction")


def _set_transaction_custom_field(store: Store, payment: Document, action: Document) -> None:
    custom_fields.set_field(store, _copy_transaction(payment, action), action)


def _add_interface_interaction(store: Store, payment: Document, action: Document) -> None:
    interaction = custom_fields.read_custom(store, action, "payment-interface-interaction")
    payment["interfaceInteractions"] = [*payment["interfaceInteractions"], interaction]


def _set_custom_type(store: Store, payment: Document, action: Document) -> None:
    custom_fields.set_type(store, payment, action, "payment")


PAYMENTS = Resource(
    type_id="payment",
    path="payments",
    view=("view_payments",),
    manage=("manage_payments",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key customer anonymousId externalId interfaceId"
        " amountPlanned paymentMethodInfo paymentStatus transactions interfaceInteractions"
        " custom".split()
    ),
    create=create,
    settle=_settle,
    deletable=True,
    actions={
        "addInterfaceInteraction": _add_interface_interaction,
        "addTransaction": _add_transaction,
        "changeAmountPlanned": _change_amount_planned,
        "changeTransactionInteractionId": _change_interaction_id,
        "changeTransactionState": _change_transaction_state,
        "changeTransactionTimestamp": _change_transaction_timestamp,
        "setAnonymousId": partial(_set_text, "anonymousId"),
        "setCustomField": custom_fields.set_field,
        "setCustomType": _set_custom_type,
        "setCustomer": _set_customer,
        "setExternalId": partial(_set_text, "externalId"),
        "setInterfaceId": _set_interface_id,
        "setKey": _set_key,
        "setMethodInfo": _set_method_info,
        "setMethodInfoCustomField": _set_method_custom_field,
        "setMethodInfoCustomType": _set_method_custom_type,
        "setMethodInfoInterface": _set_method_interface,
        "setMethodInfoInterfaceAccount": partial(_set_method_field, "interfaceAccount"),
        "setMethodInfoMethod": partial(_set_method_field, "method"),
        "setMethodInfoName": partial(_set_method_field, "name"),
        "setMethodInfoToken": partial(_set_method_field, "token"),
        "setStatusInterfaceCode": partial(_set_status, "interfaceCode"),
        "setStatusInterfaceText": partial(_set_status, "interfaceText"),
        "setTransactionCustomField": _set_transaction_custom_field,
        "setTransactionCustomType": _set_transaction_custom_type,
        "setTransactionInterfaceId": _set_transaction_interface_id,
    },
)
