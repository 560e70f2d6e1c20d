"""What the demo prints: steps, both sides of a payment, and what to try next."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.table import Table

from sandbox.addresses import Addresses, url
from sandbox.demo.compare import Comparison, Row

_IN_THE_SHOP = (
    "Put something into the basket, try the discount code SAVE10, check out with any address.",
    "On the payment page use card 4242 4242 4242 4242, any date in the future and any code.",
    "Or 4000 0000 0000 0002, which is declined, or 4000 0000 0000 3220, which asks for 3-D Secure.",
    "Go back without paying, reload, press twice: the order is paid once or not at all.",
)


class Printer:
    """Writes for people, on a terminal or into a file."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._steps = 0

    def shop(self, at: Addresses) -> None:
        """Where the shop and the merchant desk are, and what to do there."""
        self._console.print(f"\n[bold]The shop is open: {url(at.shop)}[/]", highlight=False)
        for number, text in enumerate(_IN_THE_SHOP, start=1):
            self.tell(f"{number}. {text}")
        self.tell(f"The merchant's side of it all is at {url(at.shop)}/desk.")
        self.line("Meanwhile the main job, step by step, without a browser:")

    def step(self, title: str) -> None:
        self._steps += 1
        self._console.print(f"\n[bold]{self._steps}. {title}[/]", highlight=False)

    def tell(self, text: str) -> None:
        """A line of a step, as it is."""
        self._console.print(f"   {text}", markup=False, highlight=False, soft_wrap=True)

    def comparison(self, found: Comparison) -> None:
        """The payment's transactions beside Stripe's objects."""
        payment, intent = found.payment, found.intent
        currency = payment["amountPlanned"]["currencyCode"]
        self.tell(f"payment {payment['id']}")
        self.tell(f"{intent['id']} is {intent['status']}")
        table = Table(box=box.SIMPLE_HEAD)
        table.add_column("commercetools")
        table.add_column("", justify="right")
        table.add_column("Stripe")
        table.add_column("", justify="right")
        table.add_column(currency)
        for row in found.rows:
            table.add_row(*_cells(row), style=None if row.agrees else "bold red")
        if not found.rows:
            table.add_row("no transaction", "", "no charge", "", "agrees")
        self._console.print(table)

    def failed(self, message: str) -> None:
        self._console.print(f"\nFAILED: {message}", style="bold red", markup=False, soft_wrap=True)

    def done(self) -> None:
        self._console.print(
            f"\n[bold green]All {self._steps} steps went well: commercetools and Stripe agree.[/]",
            highlight=False,
        )

    def addresses(self, at: Addresses) -> None:
        self._console.print("\n[bold]Addresses[/]")
        for place, port in at.ports():
            self.tell(f"{place.name:<24}{url(port)}   (change it with {place.variable})")

    def commands(self, commands: list[tuple[str, str]]) -> None:
        """Commands to copy, each on one line."""
        self._console.print("\n[bold]Try it[/]")
        for what, command in commands:
            self._console.print(f"# {what}", markup=False, highlight=False, style="dim")
            self._console.print(command, markup=False, highlight=False, soft_wrap=True)

    def line(self, text: str) -> None:
        self._console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    return (
        f"{row.fact.kind} {row.fact.state}",
        _amount(row.recorded),
        row.said,
        _amount(row.at_stripe),
        "agrees" if row.agrees else "DIFFERS",
    )


def _amount(cents: int | None) -> str:
    return "-" if cents is None else f"{cents / 100:.2f}"
