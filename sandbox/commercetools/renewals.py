"""What commercetools does by itself when its clock says so: processes jobs, places due orders.

A job is processed once the recurring order of its payment exists, in three attempts at most: it
sets the cart's `recurringPaymentConfiguration` to the method for 100 % and makes the recurring
payment (https://docs.commercetools.com/checkout/recurring-payment-jobs-api). When an order is due,
Checkout has the connector collect the payment first; if that fails, there is no order, and the
recurring order becomes Failed
(https://docs.commercetools.com/api/releases/2026-10-07-added-support-for-collecting-recurring-order-payments-with-checkout-in-public-beta).
Without the configuration the order is placed unpaid. How long Checkout waits between attempts, and
whether an order is charged on a copy of its cart, as here, is not published.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from sandbox.commercetools import orders
from sandbox.commercetools.errors import ApiError
from sandbox.commercetools.fields import present
from sandbox.commercetools.paths import Document
from sandbox.commercetools.recurring_orders import a_month_after, copy_of
from sandbox.commercetools.state import Store

Collect = Callable[[Document], Awaitable[tuple[int, Document]]]
"""POST /operations/transactions at the connector: status and body; 0 where no answer came."""

_ATTEMPTS = 3
_DEPLOYMENT = {"typeId": "deployment", "id": "4c24762b-0000-4000-8000-000000000001"}


class Renewals:
    """Works on what is due; may be asked at any time, by one caller at a time."""

    def __init__(self, store: Store, collect: Collect) -> None:
        self._store = store
        self._collect = collect
        self._begun: dict[str, Document] = {}
        """Requests to the connector without an outcome, by recurring order: they are repeated."""

    async def run(self) -> None:
        """Try every waiting job once, and place the orders that are due."""
        for job in list(self._store.collection("recurring-payment-job")):
            if job["status"]["state"] in ("Initial", "Pending"):
                self._process(job)
        for order in list(self._store.collection("recurring-order")):
            if order["recurringOrderState"] == "Active" and order["nextOrderAt"] <= self._now():
                await self._renew(order)

    def _process(self, job: Document) -> None:
        order = self._order_of(job)
        if order is None:
            return
        attempts = job["status"].get("attempts", 0) + 1
        error = self._hindrance(job, order)
        made: Document = {}
        if error is None:
            made = {"recurringPayments": [self._set_up(job, order)]}
            status: Document = {"state": "Completed", "attempts": attempts}
        elif attempts < _ATTEMPTS:
            status = {"state": "Pending", "attempts": attempts}
        else:
            status = {"state": "Failed", "attempts": attempts, "errors": [error]}
        self._store.replace("recurring-payment-job", {**job, **made, "status": status})

    def _order_of(self, job: Document) -> Document | None:
        """The recurring order that the job's payment began; None before it exists."""
        for order in self._store.collection("recurring-order"):
            origin = self._store.resolve("order", order["originOrder"])
            payments = origin.get("paymentInfo", {}).get("payments", [])
            if any(each["id"] == job["originPayment"]["id"] for each in payments):
                return order
        return None

    def _hindrance(self, job: Document, order: Document) -> Document | None:
        method = self._store.collection("payment-method").get(job["paymentMethod"]["id"])
        if method is None:
            return _error("ReferencedResourceNotFound", "The payment method does not exist.")
        if method["paymentMethodStatus"] != "Active":
            return _error("InvalidInput", "The payment method is not active.")
        if order["recurringOrderState"] in ("Canceled", "Expired"):
            return _error("InvalidInput", "The recurring order is over.")
        return None

    def _set_up(self, job: Document, order: Document) -> Document:
        method = job["paymentMethod"]
        cart = self._store.resolve("cart", order["cart"])
        share = {"type": "Relative", "percentage": 100}
        allocation = {"id": self._store.new_id(), "paymentMethod": method, "allocation": share}
        configuration = {"paymentStrategy": "Checkout", "paymentAllocations": [allocation]}
        self._store.replace("cart", {**cart, "recurringPaymentConfiguration": configuration})
        made = self._store.insert(
            "recurring-payment",
            {
                "recurringOrder": {"typeId": "recurring-order", "id": order["id"]},
                "paymentMethodConfigurations": [
                    {"paymentMethod": method, "connectorDeployment": _DEPLOYMENT}
                ],
            },
        )
        return {"typeId": "recurring-payment", "id": made["id"]}

    async def _renew(self, order: Document) -> None:
        """Collect the payment of the next order, and place it once there is one."""
        template = self._store.resolve("cart", order["cart"])
        request = self._begun.get(order["id"]) or self._request(template)
        if "paymentMethodId" not in request:
            self._place(order, request["cartId"])
            return
        self._begun[order["id"]] = request
        status, answer = await self._collect(request)
        told = answer.get("transactionStatus", {})
        if status == 0 or status >= 500 or told.get("state") == "Pending":
            return
        del self._begun[order["id"]]
        if status == 201 and told.get("state") == "Completed":
            self._place(order, request["cartId"], paymentState="Paid")
            return
        errors = told.get("errors") or answer.get("errors") or [{}]
        self._fail(order, errors[0])

    def _request(self, template: Document) -> Document:
        configuration = template.get("recurringPaymentConfiguration", {})
        allocations = configuration.get("paymentAllocations", [])
        cart = copy_of(self._store, template)
        request: Document = {"cartId": cart["id"]}
        if configuration.get("paymentStrategy") == "Checkout" and allocations:
            request |= {
                "checkoutTransactionItemId": self._store.new_id(),
                "paymentMethodId": allocations[0]["paymentMethod"]["id"],
                "type": "Recurring",
            }
        return request

    def _place(self, order: Document, cart_id: str, **fields: str) -> None:
        cart = self._store.resolve("cart", {"id": cart_id})
        draft = {"cart": {"id": cart_id}, "version": cart["version"], **fields}
        try:
            placed = orders.create(self._store, draft)
        except ApiError as error:
            self._fail(order, {"code": error.code, "message": error.message})
            return
        reference = {"typeId": "recurring-order", "id": order["id"]}
        self._store.replace("order", {**placed, "recurringOrder": reference})
        self._store.renewal_errors.pop(order["id"], None)
        following = {"lastOrderAt": self._now(), "nextOrderAt": a_month_after(order["nextOrderAt"])}
        self._store.replace("recurring-order", {**self._latest(order), **following})

    def _fail(self, order: Document, error: Document) -> None:
        self._store.renewal_errors[order["id"]] = {
            "at": self._now(),
            **present(code=error.get("code"), message=error.get("message")),
        }
        failed = {**self._latest(order), "recurringOrderState": "Failed"}
        self._store.replace("recurring-order", failed)

    def _latest(self, order: Document) -> Document:
        return self._store.resolve("recurring-order", {"id": order["id"]})

    def _now(self) -> str:
        return self._store.now()


def overview(store: Store) -> Document:
    """Every recurring order with its next charge and last error, and every job; for the desk."""
    return {
        "orders": [
            {
                "order": each,
                "total": store.resolve("cart", each["cart"])["totalPrice"],
                "methods": [
                    allocation["paymentMethod"]["id"]
                    for allocation in store.resolve("cart", each["cart"])
                    .get("recurringPaymentConfiguration", {})
                    .get("paymentAllocations", [])
                ],
                **present(lastError=store.renewal_errors.get(each["id"])),
            }
            for each in store.collection("recurring-order")
        ],
        "jobs": list(store.collection("recurring-payment-job")),
    }


def _error(code: str, message: str) -> Document:
    return {"code": code, "message": message}
