"""No update action of a Payment goes unchecked: each is sent by some walk."""

from __future__ import annotations

import msgspec

from stripe_connector.ledger.actions import Action
from tests.contract.traffic import Traffic


def test_every_update_action_that_the_ledger_has_was_sent(traffic: Traffic) -> None:
    sent = {
        action["action"]
        for call in traffic.sent_to("commercetools")
        if call.method == "POST" and call.path.startswith("/sandbox/payments/")
        for action in msgspec.json.decode(call.body)["actions"]
    }
    declared = {str(each.__struct_config__.tag) for each in Action.__subclasses__()}
    assert sent == declared
