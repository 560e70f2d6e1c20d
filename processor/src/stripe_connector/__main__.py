"""The command line: `stripe-connector`, also `python -m stripe_connector`."""

from __future__ import annotations

import gc
from importlib import import_module
from types import ModuleType

import click

from stripe_connector import __version__

_COMMANDS = {
    "serve": (
        "stripe_connector.ops.serve",
        "Run the processor.",
    ),
    "post-deploy": (
        "stripe_connector.deploy.command",
        "Set up the webhook endpoint, the custom types and the payment domains.",
    ),
    "pre-undeploy": (
        "stripe_connector.deploy.command",
        "Disable the webhook endpoint; deletes nothing unless asked.",
    ),
    "doctor": (
        "stripe_connector.ops.doctor.command",
        "Check configuration, credentials and delivery; name cause and remedy of each problem.",
    ),
    "reconcile": (
        "stripe_connector.ops.reconcile.command",
        "Compare payments with Stripe over a time span, and repair the differences.",
    ),
}
"""Where each command is, and its line in the help."""


class _Commands(click.Group):
    """Imports a command only when it is called, so that --help and each command start quickly."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, _ = _COMMANDS[cmd_name]
        command: click.Command = getattr(_imported(module), cmd_name.replace("-", "_"))
        return command

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_) for name, (_, help_) in _COMMANDS.items()])


def _imported(name: str) -> ModuleType:
    """A module. What it imports is no garbage, and looking for some is a seventh of a cold start
    (docs/performance.md, "Paths for speed")."""
    gc.disable()
    try:
        return import_module(name)
    finally:
        gc.enable()


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="stripe-connector")
def main() -> None:
    """Stripe payment connector for commercetools."""


if __name__ == "__main__":
    main()
