"""What the demo prints: ticked steps, and at the end where to go and how to pay."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sandbox.addresses import Addresses, url
from sandbox.demo.compare import Comparison, Row
from sandbox.shown_cards import SHOWN_CARDS


class Printer:
    """Writes for people, on a terminal or into a file: a ticked line for each step.

    `verbose` adds what each step asked for, both sides of its payment and what to try next.
    """

    def __init__(self, console: Console, *, verbose: bool) -> None:
        self._console = console
        self._verbose = verbose
        self._steps = 0
        self._open: str | None = None
        unicode = console.encoding.startswith("utf")
        self._tick, self._cross = ("\u2713", "\u2717") if unicode else ("ok", "no")

    def starting(self) -> None:
        self._console.print("Starting the shop, the stand-ins and a processor.")

    def step(self, title: str) -> None:
        """The step before is over; the next begins."""
        self._close(self._tick, "green")
        self._steps += 1
        self._open = f"{self._steps:>2}  {title}"
        if self._verbose:
            self._console.print(f"\n{self._open}", style="bold", markup=False, highlight=False)

    def tell(self, text: str) -> None:
        """What a step asked for and found."""
        if self._verbose:
            self._console.print(f"   {text}", markup=False, highlight=False, soft_wrap=True)

    def comparison(self, found: Comparison) -> None:
        """The payment's transactions beside Stripe's objects; where they differ, always."""
        if found.agrees and not self._verbose:
            return
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
        self._close(self._cross, "bold red")
        self._console.print(f"\nFAILED: {message}", style="bold red", markup=False, soft_wrap=True)

    def done(self) -> None:
        self._close(self._tick, "green")
        self._console.print(
            f"\n[bold green]All {self._steps} steps went well: commercetools and Stripe agree.[/]",
            highlight=False,
        )

    def addresses(self, at: Addresses) -> None:
        if self._verbose:
            self._console.print("\n[bold]Addresses[/]")
            for place, port in at.ports():
                self.tell(f"{place.name:<24}{url(port)}   (change it with {place.variable})")

    def commands(self, commands: list[tuple[str, str]]) -> None:
        """Commands to copy, each on one line."""
        if not self._verbose:
            return
        self._console.print("\n[bold]Try it[/]")
        for what, command in commands:
            self._console.print(f"# {what}", markup=False, highlight=False, style="dim")
            self._console.print(command, markup=False, highlight=False, soft_wrap=True)

    def closing(self, at: Addresses, ends: Sequence[tuple[str, str]] = ()) -> None:
        """The box at the end: where to go, which cards to pay with, and `ends`."""
        shop = url(at.shop)
        cards = "\n".join(f"{card.number} {card.says}" for card in SHOWN_CARDS)
        rows = [
            ("Shop", shop),
            ("Desk", f"{shop}/desk"),
            ("Playground", f"{shop}/playground"),
            ("Cards", f"{cards}\nwith any date in the future and any code"),
            *ends,
        ]
        table = Table.grid(padding=(0, 3))
        for name, value in rows:
            table.add_row(Text(name, style="bold"), Text(value))
        self._console.print()
        self._console.print(Panel(table, expand=False))

    def line(self, text: str) -> None:
        self._console.print(f"\n{text}", highlight=False, markup=False, soft_wrap=True)

    def _close(self, mark: str, style: str) -> None:
        """How the open step ended."""
        if self._open is not None:
            self._console.print(
                Text.assemble((mark, style), f" {self._open}"), soft_wrap=True, highlight=False
            )
            self._open = None


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
