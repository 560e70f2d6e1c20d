"""Tokens, scopes, sessions, queries, types and custom objects of the commercetools stand-in."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.commercetools.errors import ApiError
from sandbox.commercetools.query import compile_predicate
from tests.sandbox.commercetools_world import ADA, World, basic, refusal


@pytest.fixture
def world() -> World:
    return World()


async def test_client_credentials_give_a_token_with_all_scopes_of_the_client(world: World) -> None:
    response = await world.http.post(
        "/oauth/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": basic("sandbox-storefront")},
    )
    answer = response.json()
    assert response.status_code == 200
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 172_800
    assert "manage_sessions:sandbox" in answer["scope"].split()


@pytest.mark.parametrize(
    ("form", "secret", "expected"),
    [
        ({"grant_type": "client_credentials"}, "wrong", (401, "invalid_client")),
        ({"grant_type": "password"}, None, (400, "unsupported_grant_type")),
        (
            {"grant_type": "client_credentials", "scope": "manage_payments:sandbox"},
            None,
            (400, "invalid_scope"),
        ),
    ],
)
async def test_a_bad_token_request_is_refused(
    world: World, form: dict[str, str], secret: str | None, expected: tuple[int, str]
) -> None:
    response = await world.http.post(
        "/oauth/token",
        data=form,
        headers={"Authorization": basic("sandbox-storefront", secret)},
    )
    assert refusal(response) == expected
    assert response.json()["error"] == expected[1]


async def test_a_token_expires_with_the_clock(world: World) -> None:
    token = world.token()
    assert (await world.get("carts", token=token)).status_code == 200
    world.clock.advance(172_800)
    assert refusal(await world.get("carts", token=token)) == (401, "invalid_token")


async def test_revoked_missing_and_forged_tokens_are_refused(world: World) -> None:
    token = world.token()
    await world.http.post("/_sandbox/commercetools/tokens/revoke", json={"token": token})
    assert refusal(await world.get("carts", token=token)) == (401, "invalid_token")
    assert refusal(await world.get("carts", token="forged")) == (401, "invalid_token")
    assert refusal(await world.http.get("/sandbox/carts")) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("manage_payments", "POST", "payments", 400),
        ("manage_payments", "GET", "payments", 200),
        ("manage_payments", "GET", "carts", 403),
        ("manage_orders", "GET", "orders", 200),
        ("manage_orders", "GET", "payments", 403),
        ("manage_customers", "GET", "types", 403),
        ("manage_types", "GET", "types", 200),
        ("manage_key_value_documents", "GET", "custom-objects", 200),
        ("manage_payment_methods", "GET", "payment-methods", 200),
        ("manage_recurring_payment_jobs", "GET", "recurring-payment-jobs", 200),
        ("view_recurring_orders", "GET", "recurring-orders", 200),
        ("view_products", "GET", "products", 200),
        ("view_products", "GET", "categories", 200),
        ("view_products", "POST", "payments", 403),
        ("view_sessions", "POST", "sessions", 403),
        ("view_api_clients", "GET", "api-clients", 200),
    ],
)
async def test_each_resource_wants_its_scope(
    world: World, scope: str, method: str, path: str, status: int
) -> None:
    token = world.token("sandbox-processor", f"{scope}:sandbox")
    call = world.get(path, token=token) if method == "GET" else world.post(path, {}, token=token)
    response = await call
    assert response.status_code == status
    if status == 403:
        assert refusal(response) == (403, "insufficient_scope")


async def test_another_project_is_out_of_scope(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    response = await world.http.get("/other/payments", headers=headers)
    assert refusal(response) == (403, "insufficient_scope")


async def test_introspection_tells_scope_client_and_expiry(world: World) -> None:
    token = world.token("sandbox-checkout")
    answer = await _introspect(world, "sandbox-processor", token)
    assert answer == {
        "active": True,
        "scope": "manage_checkout_payment_intents:sandbox manage_checkout_transactions:sandbox",
        "client_id": "sandbox-checkout",
        "exp": 1_800_172_800,
    }
    world.clock.advance(172_800)
    assert await _introspect(world, "sandbox-processor", token) == {"active": False}


async def test_without_the_scope_a_client_may_introspect_its_own_tokens_only(world: World) -> None:
    own = await _introspect(world, "sandbox-storefront", world.token("sandbox-storefront"))
    foreign = await _introspect(world, "sandbox-storefront", world.token("sandbox-admin"))
    assert own["active"] is True
    assert foreign["errors"][0]["code"] == "insufficient_scope"


async def _introspect(world: World, client_id: str, token: str) -> dict[str, Any]:
    headers = {"Authorization": basic(client_id)}
    response = await world.http.post("/oauth/introspect", data={"token": token}, headers=headers)
    answer: dict[str, Any] = response.json()
    return answer


async def test_the_correlation_id_comes_back(world: World) -> None:
    headers = {"X-Correlation-ID": "abc-1"}
    response = await world.http.get("/sandbox/carts", headers=headers)
    assert response.headers["x-correlation-id"] == "abc-1"


async def test_a_session_expires_after_an_hour_and_keeps_its_metadata(world: World) -> None:
    cart = await world.cart()
    metadata = {"allowedPaymentMethods": ["card"], "futureOrderNumber": "A-1"}
    session = await world.create(
        "sessions", {"cart": {"cartRef": {"id": cart["id"]}}, "metadata": metadata}
    )
    found = (await world.get(f"sessions/{session['id']}")).json()
    assert found == session
    assert found["state"] == "ACTIVE"
    assert found["activeCart"] == {"cartRef": {"id": cart["id"]}}
    assert found["metadata"] == metadata
    world.clock.advance(3600)
    assert (await world.get(f"sessions/{session['id']}")).json()["state"] == "EXPIRED"


async def test_a_session_needs_a_cart_that_exists(world: World) -> None:
    response = await world.post("sessions", {"cart": {"cartRef": {"id": "none"}}})
    assert refusal(response) == (400, "ReferencedResourceNotFound")
    assert refusal(await world.get("sessions/none")) == (404, "ResourceNotFound")


async def test_a_custom_object_with_version_0_is_created_only_once(world: World) -> None:
    draft = {"container": "links", "key": "ada", "value": {"id": "cus_1", "none": None}}
    created = await world.post("custom-objects", {**draft, "version": 0})
    assert created.status_code == 201
    assert created.json()["value"] == {"id": "cus_1"}
    again = await world.post("custom-objects", {**draft, "version": 0})
    assert refusal(again) == (409, "ConcurrentModification")
    assert again.json()["errors"][0]["currentVersion"] == 1


async def test_a_custom_object_is_replaced_found_and_deleted(world: World) -> None:
    draft = {"container": "links", "key": "ada", "value": 1}
    await world.post("custom-objects", draft)
    replaced = await world.post("custom-objects", {**draft, "value": 2})
    assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
    stale = await world.post("custom-objects", {**draft, "value": 3, "version": 1})
    assert refusal(stale) == (409, "ConcurrentModification")
    assert (await world.get("custom-objects/links/ada")).json()["value"] == 2
    assert (await world.get("custom-objects/links")).json()["count"] == 1
    assert (await world.get("custom-objects/other")).json()["count"] == 0
    assert refusal(await world.delete("custom-objects/links/ada", version=1))[0] == 409
    assert (await world.delete("custom-objects/links/ada", version=2)).status_code == 200
    assert refusal(await world.get("custom-objects/links/ada")) == (404, "ResourceNotFound")


_TYPE: dict[str, Any] = {
    "key": "stripe-customer",
    "name": {"en": "Stripe"},
    "resourceTypeIds": ["customer"],
    "fieldDefinitions": [
        {"name": "stripeId", "label": {"en": "Id"}, "type": {"name": "String"}, "required": False}
    ],
}


async def test_types_are_found_by_key_and_by_resource(world: World) -> None:
    created = await world.create("types", _TYPE)
    assert refusal(await world.post("types", _TYPE)) == (400, "DuplicateField")
    assert (await world.get("types/key=stripe-customer")).json() == created
    for where in ('key="stripe-customer"', 'resourceTypeIds contains any ("customer", "x")'):
        assert (await world.get("types", where=where)).json()["results"] == [created]
    where = 'resourceTypeIds contains any ("payment")'
    assert (await world.get("types", where=where)).json()["results"] == []


async def test_a_referenced_type_cannot_be_deleted(world: World) -> None:
    type_ = await world.create("types", _TYPE)
    customer = (await world.get(f"customers/{ADA['id']}")).json()
    assigned = await world.change(
        "customers",
        customer,
        {
            "action": "setCustomType",
            "type": {"typeId": "type", "key": "stripe-customer"},
            "fields": {"stripeId": "cus_1"},
        },
    )
    assert assigned["custom"] == {
        "type": {"typeId": "type", "id": type_["id"]},
        "fields": {"stripeId": "cus_1"},
    }
    refused = await world.delete("types/key=stripe-customer", version=1)
    assert refusal(refused) == (400, "ReferenceExists")
    await world.change("customers", assigned, {"action": "setCustomType"})
    assert (await world.delete("types/key=stripe-customer", version=1)).status_code == 200


async def test_field_definitions_are_added_and_removed(world: World) -> None:
    type_ = await world.create("types", _TYPE)
    definition = {**_TYPE["fieldDefinitions"][0], "name": "other"}
    added = await world.change(
        "types", type_, {"action": "addFieldDefinition", "fieldDefinition": definition}
    )
    assert [field["name"] for field in added["fieldDefinitions"]] == ["stripeId", "other"]
    twice = await world.act(
        "types", added, {"action": "addFieldDefinition", "fieldDefinition": definition}
    )
    assert refusal(twice) == (400, "DuplicateField")
    removed = await world.change(
        "types", added, {"action": "removeFieldDefinition", "fieldName": "stripeId"}
    )
    assert [field["name"] for field in removed["fieldDefinitions"]] == ["other"]


async def test_payment_methods_are_found_by_customer_and_interface(world: World) -> None:
    draft = {"customer": ADA, "paymentInterface": "stripe", "token": {"value": "pm_1"}}
    method = await world.create("payment-methods", draft)
    await world.create("payment-methods", {**draft, "paymentInterface": "other"})
    where = f'customer(id="{ADA["id"]}") and paymentInterface="stripe"'
    assert (await world.get("payment-methods", where=where)).json()["results"] == [method]
    deleted = await world.delete(f"payment-methods/{method['id']}", version=1)
    assert deleted.json() == method


async def test_a_recurring_payment_job_refers_to_what_exists(world: World) -> None:
    payment = await world.payment()
    method = await world.create("payment-methods", {"customer": ADA, "token": {"value": "pm_1"}})
    draft = {
        "originPayment": {"typeId": "payment", "id": payment["id"]},
        "paymentMethod": {"typeId": "payment-method", "id": method["id"]},
        "key": payment["id"],
    }
    job = await world.create("recurring-payment-jobs", draft)
    assert job["status"] == {"state": "Initial"}
    assert (await world.get("recurring-payment-jobs")).json()["results"] == [job]
    assert (await world.get(f"recurring-payment-jobs/key={payment['id']}")).json() == job
    assert refusal(await world.post("recurring-payment-jobs", draft)) == (400, "DuplicateField")
    missing = {**draft, "paymentMethod": {"typeId": "payment-method", "id": "none"}}
    refused = await world.post("recurring-payment-jobs", missing)
    assert refusal(refused) == (400, "ReferencedResourceNotFound")


async def test_projections_select_the_price(world: World) -> None:
    where = 'masterVariant(sku="task-lamp-2") or variants(sku="task-lamp-2")'
    page = (await world.get("product-projections", where=where, priceCurrency="JPY")).json()
    (lamp,) = page["results"]
    assert lamp["name"] == {"en": "Task lamp"}
    assert lamp["variants"][0]["price"]["value"] == {
        "type": "centPrecision",
        "currencyCode": "JPY",
        "centAmount": 21_000,
        "fractionDigits": 0,
    }


async def test_reset_brings_the_seeded_shop_back(world: World) -> None:
    before = world.store.summary()
    await world.payment()
    await world.http.post("/_sandbox/commercetools/reset")
    assert (await world.http.get("/_sandbox/commercetools/state")).json() == before


@pytest.mark.parametrize("path", ["/sandbox/unknown", "/", "/sandbox/payments/none"])
async def test_what_is_not_there_is_404_in_the_usual_shape(world: World, path: str) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    assert refusal(await world.http.get(path, headers=headers)) == (404, "ResourceNotFound")


_DOCUMENT = {
    "id": "1",
    "n": 5,
    "flag": True,
    "createdAt": "2026-01-02T03:04:05.000Z",
    "tags": ["a", "b"],
    "nested": {"list": [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('id="1"', True),
        ('id in ("2", "1")', True),
        ('id not in ("2", "1")', False),
        ("n > 4 and n <= 5", True),
        ("n = 4 or flag = true", True),
        ("not(n = 5)", False),
        ('id != "1"', False),
        ('nested(list(x="1" and y="2"))', True),
        ('nested(list(x="1" and y="4"))', False),
        ('tags contains all ("a", "b")', True),
        ('tags contains any ("z")', False),
        ("missing is defined", False),
        ("missing is not defined", True),
        ("tags is not empty", True),
        ('createdAt > "2026-01-02T03:04:04Z"', True),
        ('createdAt = "2026-01-02T04:04:05+01:00"', True),
        ("id = :wanted", True),
        ("1 = 1", True),
    ],
)
def test_predicates(text: str, expected: bool) -> None:
    assert compile_predicate(text, {"wanted": "1"}).test(_DOCUMENT) is expected


@pytest.mark.parametrize("text", ["", "id", 'id="1', 'id="1" and', "id=(", 'id ~ "1"', "id=:unset"])
def test_malformed_predicates_are_refused(text: str) -> None:
    with pytest.raises(ApiError) as refused:
        compile_predicate(text, {})
    assert (refused.value.status, refused.value.code) == (400, "InvalidInput")


async def test_predicates_on_unknown_fields_are_refused(world: World) -> None:
    response = await world.get("payments", where='interfaceid="x"')
    assert refusal(response) == (400, "InvalidInput")


async def test_all_tokens_can_be_revoked_at_once(world: World) -> None:
    token = world.token()
    revoked = await world.http.post("/_sandbox/commercetools/tokens/revoke")
    assert revoked.json() == {"revoked": 1}
    assert refusal(await world.get("carts", token=token)) == (401, "invalid_token")


async def test_a_customer_is_created_changed_and_unique_by_email(world: World) -> None:
    draft = {"email": "new@example.com", "firstName": "New", "addresses": [{"country": "DE"}]}
    customer = (await world.create("customers", draft))["customer"]
    assert customer["addresses"][0]["country"] == "DE"
    assert refusal(await world.post("customers", draft)) == (400, "DuplicateField")
    changed = await world.change(
        "customers",
        customer,
        {"action": "setFirstName", "firstName": "Newer"},
        {"action": "setLastName", "lastName": "One"},
        {"action": "setKey", "key": "newer"},
        {"action": "changeEmail", "email": "newer@example.com"},
        {"action": "addAddress", "address": {"country": "FR"}},
    )
    assert (changed["firstName"], changed["lastName"]) == ("Newer", "One")
    assert [address["country"] for address in changed["addresses"]] == ["DE", "FR"]
    assert (await world.get("customers/key=newer")).json() == changed
    where = 'email="newer@example.com"'
    assert (await world.get("customers", where=where)).json()["results"] == [changed]


async def test_a_payment_method_changes(world: World) -> None:
    method = await world.create("payment-methods", {"customer": ADA, "token": {"value": "pm_1"}})
    changed = await world.change(
        "payment-methods",
        method,
        {"action": "setMethod", "method": "card"},
        {"action": "setDefault", "default": True},
        {"action": "setName", "name": {"en": "Visa"}},
        {"action": "setPaymentMethodStatus", "paymentMethodStatus": "Inactive"},
    )
    assert (changed["method"], changed["default"]) == ("card", True)
    assert (changed["name"], changed["paymentMethodStatus"]) == ({"en": "Visa"}, "Inactive")


_STRING = {"name": "String"}
_ENUM = {"name": "Enum", "values": [{"key": "a", "label": "A"}]}


@pytest.mark.parametrize(
    ("type_", "value", "stored"),
    [
        (_STRING, "text", "text"),
        (_STRING, 1, None),
        ({"name": "Boolean"}, True, True),
        ({"name": "Boolean"}, "true", None),
        ({"name": "Number"}, 1.5, 1.5),
        ({"name": "Number"}, True, None),
        ({"name": "LocalizedString"}, {"en": "x"}, {"en": "x"}),
        ({"name": "LocalizedString"}, "x", None),
        (_ENUM, "a", "a"),
        (_ENUM, "b", None),
        ({"name": "Date"}, "2026-01-01", "2026-01-01"),
        ({"name": "DateTime"}, "2026-01-01T00:00:00+01:00", "2025-12-31T23:00:00.000Z"),
        ({"name": "DateTime"}, "noon", None),
        ({"name": "Reference", "referenceTypeId": "customer"}, ADA, ADA),
        ({"name": "Reference", "referenceTypeId": "cart"}, ADA, None),
        ({"name": "Set", "elementType": _STRING}, ["a", "b"], ["a", "b"]),
        ({"name": "Set", "elementType": _STRING}, ["a", 1], None),
        ({"name": "Set", "elementType": _STRING}, "a", None),
    ],
)
async def test_custom_fields_take_only_values_of_their_type(
    world: World, type_: dict[str, Any], value: object, stored: object
) -> None:
    definition = {"name": "field", "label": {"en": "Field"}, "type": type_}
    await world.create("types", {**_TYPE, "fieldDefinitions": [definition]})
    customer = (await world.get(f"customers/{ADA['id']}")).json()
    response = await world.act(
        "customers",
        customer,
        {"action": "setCustomType", "type": {"key": "stripe-customer"}},
        {"action": "setCustomField", "name": "field", "value": value},
    )
    if stored is None:
        assert refusal(response) == (400, "InvalidField")
    else:
        assert response.json()["custom"]["fields"] == {"field": stored}


@pytest.mark.parametrize(
    ("draft", "code"),
    [
        ({"key": None}, "RequiredField"),
        ({"resourceTypeIds": []}, "RequiredField"),
        ({"resourceTypeIds": ["spaceship"]}, "InvalidField"),
        ({"fieldDefinitions": [{"name": "x"}]}, "InvalidField"),
        ({"fieldDefinitions": [{"name": "xx", "type": {"name": "Text"}}]}, "InvalidField"),
        ({"fieldDefinitions": [{"name": "xx", "type": {"name": "Set"}}]}, "RequiredField"),
    ],
)
async def test_a_bad_type_is_refused(world: World, draft: dict[str, Any], code: str) -> None:
    assert refusal(await world.post("types", {**_TYPE, **draft})) == (400, code)


@pytest.mark.parametrize(
    ("method", "path", "content", "expected"),
    [
        ("POST", "/sandbox/payments", b"{", (400, "InvalidJsonInput")),
        ("POST", "/sandbox/payments", b"\xff", (400, "InvalidJsonInput")),
        ("DELETE", "/sandbox/types/x?version=y", b"", (400, "InvalidInput")),
        ("DELETE", "/sandbox/types/x", b"", (400, "InvalidInput")),
        ("DELETE", "/sandbox/types/x?version=1", b"", (404, "ResourceNotFound")),
        ("DELETE", "/sandbox/products/x?version=1", b"", (405, "InvalidOperation")),
        ("POST", "/sandbox/products", b"{}", (405, "InvalidOperation")),
        ("PUT", "/sandbox/payments", b"{}", (405, "InvalidOperation")),
        ("GET", "/sandbox/payments?sort=size", b"", (400, "InvalidInput")),
        ("GET", "/sandbox/product-projections/x", b"", (404, "ResourceNotFound")),
        ("GET", "/sandbox/shipping-methods/matching-cart?cartId=x", b"", (404, "ResourceNotFound")),
    ],
)
async def test_bad_requests_are_refused(
    world: World, method: str, path: str, content: bytes, expected: tuple[int, str]
) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    assert refusal(await world.http.request(method, path, content=content, headers=headers)) == (
        expected
    )


async def test_the_project_is_there(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.token()}"}
    project = (await world.http.get("/sandbox", headers=headers)).json()
    assert (project["key"], "KWD" in project["currencies"]) == ("sandbox", True)
