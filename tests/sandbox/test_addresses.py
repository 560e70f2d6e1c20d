"""Ports of the sandbox: from the environment, each with its variable."""

from __future__ import annotations

import socket

import pytest

from sandbox.addresses import JWT, LOOPBACK, Addresses, BadPort, addresses, listen, require_free


def test_without_environment_everything_has_its_known_port() -> None:
    assert addresses({}) == Addresses(
        processor=8080, jwt=9000, commercetools=9010, stripe=9020, shop=3000
    )


def test_each_port_can_be_moved() -> None:
    moved = {
        "PORT": "1",
        "SANDBOX_JWT_PORT": "2",
        "SANDBOX_COMMERCETOOLS_PORT": "3",
        "SANDBOX_STRIPE_PORT": " 4 ",
        "SANDBOX_SHOP_PORT": "5",
    }
    assert addresses(moved) == Addresses(processor=1, jwt=2, commercetools=3, stripe=4, shop=5)


@pytest.mark.parametrize("given", ["0", "65536", "-1", "http", "8e3"])
def test_a_port_that_is_none_is_refused_by_its_variable(given: str) -> None:
    with pytest.raises(BadPort, match="SANDBOX_STRIPE_PORT"):
        addresses({"SANDBOX_STRIPE_PORT": given})


def test_two_places_cannot_share_a_port() -> None:
    with pytest.raises(BadPort, match="SANDBOX_JWT_PORT or PORT"):
        addresses({"SANDBOX_JWT_PORT": "8080"})


def test_a_taken_port_is_named_with_its_variable() -> None:
    with socket.create_server((LOOPBACK, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadPort, match=rf"Port {port} .* is taken; set SANDBOX_JWT_PORT"):
            listen(JWT, port)
        with pytest.raises(BadPort, match=str(port)):
            require_free([(JWT, port)])
