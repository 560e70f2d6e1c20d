"""Creates and checks the custom types that the connector needs.

A type is ours as long as all its fields are ours. Missing fields are added to a type of ours; a
type with a field of another program is never changed, only checked.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from stripe_connector.concurrency import TRIES
from stripe_connector.deploy.changes import DeployReport
from stripe_connector.errors import DuplicateField, InvalidRequest, VersionConflict
from stripe_connector.gateways.commercetools.administration import FieldDefinition, TypeDefinition
from stripe_connector.gateways.commercetools.project_editor import Document, ProjectEditor
from stripe_connector.ledger import operation, proof
from stripe_connector.payments import interactions
from stripe_connector.payments.stored import customers
from stripe_connector.settings import Settings

REFUSED = (
    "commercetools' message is above. Check CTP_CLIENT_ID and CTP_CLIENT_SECRET, and that the"
    " API client has the scope manage_types."
)


class Wanted(Struct, frozen=True):
    """A type that has to exist."""

    draft: Document
    setting: str | None = None
    """The variable that sets its key, where merchants may choose the key."""
    deletable: bool = True
    """Whether only the connector uses it."""

    @property
    def subject(self) -> str:
        return f"custom type {self.draft['key']}"


class Verdict(Struct, frozen=True):
    """How an existing type differs from the wanted one."""

    ours: bool
    missing: list[Document]
    problems: list[str]


def wanted_types(settings: Settings) -> list[Wanted]:
    """All types that a processor of this configuration uses."""
    found = [
        Wanted(operation.operation_type_draft()),
        Wanted(proof.proof_type_draft()),
        Wanted(
            customers.customer_type_draft(settings.ct_custom_type_stripe_customer_key),
            setting="CT_CUSTOM_TYPE_STRIPE_CUSTOMER_KEY",
        ),
        Wanted(
            _purchase_order(settings.ct_custom_type_launchpad_purchase_order_key),
            setting="CT_CUSTOM_TYPE_LAUNCHPAD_PURCHASE_ORDER_KEY",
            deletable=False,
        ),
    ]
    if settings.stripe_interface_interactions:
        found.append(Wanted(interactions.interaction_type_draft(), deletable=False))
    return found


def compare_type(found: TypeDefinition, wanted: Document) -> Verdict:
    """Compare a type with the one that is wanted; labels and hints are the merchant's to change."""
    given = {field.name: field for field in found.field_definitions}
    definitions = {field["name"]: field for field in wanted["fieldDefinitions"]}
    ours = given.keys() <= definitions.keys()
    missing = [field for name, field in definitions.items() if name not in given]
    problems = [
        f"it does not extend {each}, which cannot be changed"
        for each in wanted["resourceTypeIds"]
        if each not in found.resource_type_ids
    ]
    for name, field in given.items():
        problems += _misfits(field, definitions.get(name))
    if not ours and missing:
        names = ", ".join(f"{field['name']} ({field['type']['name']})" for field in missing)
        problems.append(f"it has fields that are not the connector's and lacks {names}")
    return Verdict(ours, missing, problems)


async def bring_type(wanted: Wanted, project: ProjectEditor, report: DeployReport) -> None:
    """Create the type, or add missing fields to a type of ours."""
    for left in reversed(range(TRIES)):
        try:
            await _bring(wanted, project, report)
        except (DuplicateField, VersionConflict):
            if not left:
                raise
        else:
            return


async def delete_type(wanted: Wanted, project: ProjectEditor, report: DeployReport) -> None:
    """Delete the type where it is ours and nothing uses it any more."""
    found = await project.find_custom_type(wanted.draft["key"])
    if found is None:
        return report.right(wanted.subject, "does not exist")
    if not wanted.deletable:
        return report.left(wanted.subject, "others may use it: delete it by hand if it is unused")
    if not found.field_definitions or not compare_type(found, wanted.draft).ours:
        return report.left(wanted.subject, "it has fields that are not the connector's")
    try:
        await report.change(
            wanted.subject, "delete it, if nothing uses it", lambda: project.delete_type(found)
        )
    except InvalidRequest as error:
        if error.code != "ReferenceExists":
            raise
        report.left(wanted.subject, "it is still in use")
    return None


async def _bring(wanted: Wanted, project: ProjectEditor, report: DeployReport) -> None:
    found = await project.find_custom_type(wanted.draft["key"])
    if found is None:
        names = ", ".join(field["name"] for field in wanted.draft["fieldDefinitions"])
        await report.change(
            wanted.subject, f"create it with {names}", lambda: project.create_type(wanted.draft)
        )
        return
    verdict = compare_type(found, wanted.draft)
    if verdict.problems:
        report.fail(wanted.subject, "; ".join(verdict.problems), _remedy(wanted))
    elif verdict.missing:
        names = ", ".join(field["name"] for field in verdict.missing)
        await report.change(
            wanted.subject, f"add {names}", lambda: project.add_fields(found, verdict.missing)
        )
    else:
        owner = "" if verdict.ours else "; it has more fields, which are not changed"
        report.right(wanted.subject, f"has all fields{owner}")


def _misfits(field: FieldDefinition, wanted: Document | None) -> Iterator[str]:
    if wanted is None:
        if field.required:
            yield f"it requires {field.name}, which the connector does not know"
        return
    kind = wanted["type"]
    if any(field.type.get(name) != value for name, value in kind.items()):
        yield f"{field.name} is of type {field.type.get('name')} instead of {kind['name']}"
    if field.required and not wanted["required"]:
        yield f"{field.name} must not be required"


def _remedy(wanted: Wanted) -> str:
    key = wanted.draft["key"]
    by_hand = f"change the type {key} in the Merchant Center (Settings, Developer settings)"
    if wanted.setting is None:
        return f"To correct {wanted.subject}: {by_hand}, or delete it if nothing uses it."
    return f"To correct {wanted.subject}: {by_hand}, or set {wanted.setting} to an unused key."


def _purchase_order(key: str) -> dict[str, Any]:
    """Checkout stores purchase orders with this type and expects connectors to create it."""

    def field(name: str, label: str, *, required: bool) -> dict[str, Any]:
        return {
            "name": name,
            "type": {"name": "String"},
            "label": {"en": label},
            "required": required,
            "inputHint": "SingleLine",
        }

    return {
        "key": key,
        "name": {"en": "Purchase order"},
        "description": {"en": "What a buyer enters when paying by purchase order"},
        "resourceTypeIds": ["payment"],
        "fieldDefinitions": [
            field("launchpadPurchaseOrderNumber", "Purchase Order Number", required=True),
            field("launchpadPurchaseOrderInvoiceMemo", "Invoice Memo", required=False),
        ],
    }
