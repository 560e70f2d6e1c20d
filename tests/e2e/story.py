"""`python tests/e2e/story.py QUERY LOG`: the documented query tells one story from each id."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

IDS = ("correlationId", "payment", "intent", "order", "orderNumber", "cart")


def story(query: Path, log: str, id_: str) -> list[dict[str, Any]]:
    """What `jq` answers for an id."""
    command = ["jq", "-cs", "--arg", "id", id_, "-f", str(query)]
    done = subprocess.run(command, input=log, capture_output=True, text=True, check=True)  # noqa: S603
    return [json.loads(line) for line in done.stdout.splitlines()]


def main(query: Path, file: Path) -> None:
    """Exits with 1 unless each id of a refunded payment leads to the same lines."""
    lines = [line for line in file.read_text().splitlines() if line.startswith("{")]
    log = "\n".join(lines)
    parsed = [json.loads(line) for line in lines]
    refund = next(
        line for line in parsed if line.get("action") == "refundPayment" and line["status"] == 200
    )
    whole = story(query, log, refund["payment"])
    assert {line.get("payment") for line in whole} - {None} == {refund["payment"]}, "others' lines"
    routes = {line.get("route") for line in whole}
    assert {"/payments", "/stripe/webhooks", "/operations/payment-intents/{id}"} <= routes, routes
    for name in ("client", "amount", "currency", "intent", "outcome"):
        assert refund.get(name), name
    ids = {line[name] for line in whole for name in IDS if line.get(name)}
    assert refund["intent"] in ids
    for each in ids:
        assert story(query, log, each) == whole, each
    sys.stdout.write(f"{len(whole)} lines, the same from each of {len(ids)} ids\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
