"""Customers and their stored payment methods.

https://docs.commercetools.com/api/projects/customers and /payment-methods
"""

from __future__ import annotations

from functools import partial

from sandbox.commercetools import custom_fields, fields
from sandbox.commercetools.errors import required_field
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store

_NAMES = ("firstName", "lastName", "middleName", "title", "companyName", "locale", "externalId")
_STATUS = ("Active", "Inactive")


def create_customer(store: Store, draft: Document) -> Document:
    """A customer of a CustomerDraft; the password is stored, and never shown."""
    password = fields.text(draft, "password")
    addresses = [
        {"id": store.new_id(), **fields.checked_address(given)}
        for given in fields.objects(draft, "addresses")
    ]
    customer = store.insert(
        "customer",
        present(
            key=fields.key(draft),
            email=fields.need_text(draft, "email"),
            **{name: fields.text(draft, name) for name in _NAMES},
            addresses=addresses,
            shippingAddressIds=[],
            billingAddressIds=[],
            isEmailVerified=fields.boolean(draft, "isEmailVerified", default=False),
            customerGroupAssignments=[],
            stores=[],
            authenticationMode=fields.choice(
                draft, "authenticationMode", ("Password", "ExternalAuth")
            )
            or "Password",
            custom=custom_fields.read_custom(store, fields.obj(draft, "custom"), "customer"),
        ),
    )
    if password is not None:
        store.passwords[customer["id"]] = password
    return customer


def create_payment_method(store: Store, draft: Document) -> Document:
    """A stored payment method of a PaymentMethodDraft."""
    identifier = fields.obj(draft, "customer")
    token = fields.obj(draft, "token")
    customer = identifier and {
        "typeId": "customer",
        "id": store.resolve("customer", identifier)["id"],
    }
    return store.insert(
        "payment-method",
        present(
            key=fields.key(draft),
            name=fields.obj(draft, "name"),
            customer=customer,
            method=fields.text(draft, "method"),
            paymentInterface=fields.text(draft, "paymentInterface"),
            interfaceAccount=fields.text(draft, "interfaceAccount"),
            token=token and {"value": fields.need_text(token, "value")},
            paymentMethodStatus=fields.choice(draft, "paymentMethodStatus", _STATUS) or "Active",
            default=fields.boolean(draft, "default", default=False),
            custom=custom_fields.read_custom(store, fields.obj(draft, "custom"), "payment-method"),
        ),
    )


def _set_text(field: str, _: Store, document: Document, action: Document) -> None:
    assign(document, field, fields.text(action, field))


def _set_key(_: Store, document: Document, action: Document) -> None:
    assign(document, "key", fields.key(action))


def _set_custom_type(resource: str, store: Store, document: Document, action: Document) -> None:
    custom_fields.set_type(store, document, action, resource)


def _change_email(_: Store, customer: Document, action: Document) -> None:
    customer["email"] = fields.need_text(action, "email")


def _add_address(store: Store, customer: Document, action: Document) -> None:
    given = fields.address(action, "address")
    if given is None:
        raise required_field("address")
    added = {"id": store.new_id(), **given}
    customer["addresses"] = [*customer["addresses"], added]


def _set_status(_: Store, method: Document, action: Document) -> None:
    method["paymentMethodStatus"] = fields.need_choice(action, "paymentMethodStatus", _STATUS)


def _set_default(_: Store, method: Document, action: Document) -> None:
    method["default"] = fields.boolean(action, "default", default=False)


def _set_name(_: Store, method: Document, action: Document) -> None:
    assign(method, "name", fields.obj(action, "name"))


CUSTOMERS = Resource(
    type_id="customer",
    path="customers",
    view=("view_customers",),
    manage=("manage_customers",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key email addresses custom".split()
    ).union(_NAMES),
    create=create_customer,
    created=lambda customer: {"customer": customer},
    deletable=True,
    actions={
        "addAddress": _add_address,
        "changeEmail": _change_email,
        "setCustomField": custom_fields.set_field,
        "setCustomType": partial(_set_custom_type, "customer"),
        "setKey": _set_key,
        **{f"set{name[0].upper()}{name[1:]}": partial(_set_text, name) for name in _NAMES},
    },
)

PAYMENT_METHODS = Resource(
    type_id="payment-method",
    path="payment-methods",
    view=("view_payment_methods",),
    manage=("manage_payment_methods",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key name customer method paymentInterface"
        " interfaceAccount token paymentMethodStatus default custom".split()
    ),
    create=create_payment_method,
    deletable=True,
    actions={
        "setCustomField": custom_fields.set_field,
        "setCustomType": partial(_set_custom_type, "payment-method"),
        "setDefault": _set_default,
        "setInterfaceAccount": partial(_set_text, "interfaceAccount"),
        "setKey": _set_key,
        "setMethod": partial(_set_text, "method"),
        "setName": _set_name,
        "setPaymentInterface": partial(_set_text, "paymentInterface"),
        "setPaymentMethodStatus": _set_status,
    },
)
