"""Types: which custom fields resources may have (https://docs.commercetools.com/api/projects/types)."""

from __future__ import annotations

import re

from sandbox.commercetools import fields
from sandbox.commercetools.errors import (
    duplicate_field,
    invalid_field,
    invalid_operation,
    reference_exists,
    required_field,
)
from sandbox.commercetools.fields import assign, present
from sandbox.commercetools.paths import Document, values
from sandbox.commercetools.resource import Resource
from sandbox.commercetools.state import Store

_NAME = re.compile(r"[A-Za-z0-9_-]{2,256}")
_CUSTOMIZABLE = tuple(
    "address asset approval-flow approval-rule associate-role business-unit cart-discount category"
    " channel customer customer-group custom-line-item discount-code inventory-entry line-item"
    " order order-edit order-delivery order-parcel order-return-item payment"
    " payment-interface-interaction payment-method payment-method-info product-price"
    " product-selection product-tailoring quote reservation review recurring-order shipping"
    " shipping-method shopping-list shopping-list-text-line-item standalone-price store"
    " transaction".split()
)
_FIELD_TYPES = tuple(
    "Boolean Date DateTime Enum LocalizedEnum LocalizedString Money Number Reference Set String"
    " Time".split()
)
_USES = (
    ("cart", "custom.type.id"),
    ("cart", "lineItems.custom.type.id"),
    ("cart", "customLineItems.custom.type.id"),
    ("customer", "custom.type.id"),
    ("order", "custom.type.id"),
    ("order", "lineItems.custom.type.id"),
    ("order", "customLineItems.custom.type.id"),
    ("payment", "custom.type.id"),
    ("payment", "interfaceInteractions.type.id"),
    ("payment", "paymentMethodInfo.custom.type.id"),
    ("payment", "transactions.custom.type.id"),
    ("payment-method", "custom.type.id"),
)
"""Where resources refer to types."""


def create(store: Store, draft: Document) -> Document:
    """A type of a TypeDraft."""
    if draft.get("key") is None:
        raise required_field("key")
    resources = draft.get("resourceTypeIds")
    if not isinstance(resources, list) or not resources:
        raise required_field("resourceTypeIds")
    for resource in resources:
        if resource not in _CUSTOMIZABLE:
            raise invalid_field("resourceTypeIds", resource, list(_CUSTOMIZABLE))
    type_ = present(
        key=fields.key(draft),
        name=fields.need_obj(draft, "name"),
        description=fields.obj(draft, "description"),
        resourceTypeIds=resources,
        fieldDefinitions=[],
    )
    for definition in fields.objects(draft, "fieldDefinitions"):
        _add_definition(store, type_, {"fieldDefinition": definition})
    return store.insert("type", type_)


def _add_definition(_: Store, type_: Document, action: Document) -> None:
    given = fields.need_obj(action, "fieldDefinition")
    name = fields.need_text(given, "name")
    if not _NAME.fullmatch(name):
        raise invalid_field("name", name)
    if any(definition["name"] == name for definition in type_["fieldDefinitions"]):
        raise duplicate_field("fieldDefinitions.name", name)
    field_type = fields.need_obj(given, "type")
    _check_field_type(field_type)
    definition = present(
        name=name,
        label=fields.need_obj(given, "label"),
        required=fields.boolean(given, "required", default=False),
        type=field_type,
        inputHint=fields.choice(given, "inputHint", ("SingleLine", "MultiLine")) or "SingleLine",
    )
    type_["fieldDefinitions"] = [*type_["fieldDefinitions"], definition]


def _check_field_type(type_: Document) -> None:
    match fields.need_choice(type_, "name", _FIELD_TYPES):
        case "Enum" | "LocalizedEnum":
            for value in fields.objects(type_, "values"):
                fields.need_text(value, "key")
        case "Reference":
            fields.need_text(type_, "referenceTypeId")
        case "Set":
            _check_field_type(fields.need_obj(type_, "elementType"))


def _remove_definition(_: Store, type_: Document, action: Document) -> None:
    name = fields.need_text(action, "fieldName")
    kept = [definition for definition in type_["fieldDefinitions"] if definition["name"] != name]
    if len(kept) == len(type_["fieldDefinitions"]):
        raise invalid_operation(f"The type has no field definition with the name '{name}'.")
    type_["fieldDefinitions"] = kept


def _change_key(_: Store, type_: Document, action: Document) -> None:
    type_["key"] = fields.key({"key": fields.need_text(action, "key")})


def _change_name(_: Store, type_: Document, action: Document) -> None:
    type_["name"] = fields.need_obj(action, "name")


def _set_description(_: Store, type_: Document, action: Document) -> None:
    assign(type_, "description", fields.obj(action, "description"))


def _check_unused(store: Store, type_: Document) -> None:
    for user, field in _USES:
        path = tuple(field.split("."))
        for document in store.collection(user):
            if type_["id"] in values(document, path):
                raise reference_exists("a type", user)


TYPES = Resource(
    type_id="type",
    path="types",
    view=("view_types",),
    manage=("manage_types",),
    fields=frozenset(
        "id version createdAt lastModifiedAt key name description resourceTypeIds"
        " fieldDefinitions".split()
    ),
    create=create,
    deletable=True,
    before_delete=_check_unused,
    actions={
        "addFieldDefinition": _add_definition,
        "changeKey": _change_key,
        "changeName": _change_name,
        "removeFieldDefinition": _remove_definition,
        "setDescription": _set_description,
    },
)
