"""How the processor starts and stops, seen from outside its process."""

import asyncio
import signal
import socket
import sys
import textwrap
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from stripe_connector.server import PortTaken, serve
from tests.patience import PATIENCE_S

PROGRAM = textwrap.dedent(
    """
    import asyncio, sys
    from starlette.responses import JSONResponse
    from stripe_connector import logs
    from stripe_connector.server import serve

    async def reachable(address):
        try:
            _, writer = await asyncio.open_connection(*address)
        except OSError:
            return False
        writer.close()
        return True

    def create_app(readiness):
        entered, leave = asyncio.Event(), asyncio.Event()

        async def app(scope, receive, send):
            if scope["type"] == "lifespan":
                await receive()
                await send({"type": "lifespan.startup.complete"})
                await receive()
                print("lifespan ended", flush=True)
                await send({"type": "lifespan.shutdown.complete"})
                return
            match scope["path"]:
                case "/slow":
                    entered.set()
                    await leave.wait()
                case "/entered":
                    await entered.wait()
                case "/leave":
                    leave.set()
                case "/outlasts-the-listener":
                    entered.set()
                    while await reachable(scope["server"]):
                        pass
            status = 503 if readiness.stopping and scope["path"] == "/ready" else 200
            await JSONResponse({"path": scope["path"]}, status)(scope, receive, send)

        return app

    logs.configure("info")
    port, drain_s, host = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    sys.exit(serve(create_app, host=host, port=port, grace_s=120, drain_s=drain_s))
    """
)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@asynccontextmanager
async def running(
    drain_s: float,
    host: str = "127.0.0.1",
) -> AsyncIterator[tuple[asyncio.subprocess.Process, httpx.AsyncClient]]:
    port = free_port()
    arguments = ["-c", PROGRAM, str(port), str(drain_s), host]
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        # Logged before the loop runs, but the socket accepts from then on.
        await process.stdout.readuntil(b"Listening on")
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE_S
        ) as client:
            yield process, client
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_readiness_fails_first_while_requests_are_still_accepted_and_finished() -> None:
    async with running(drain_s=60) as (process, client):
        slow = asyncio.create_task(client.get("/slow"))
        await client.get("/entered")
        process.send_signal(signal.SIGTERM)
        while (await client.get("/ready")).status_code == 200:
            pass
        await client.get("/leave")
        assert (await slow).status_code == 200
        process.send_signal(signal.SIGTERM)  # Asked twice, it does not wait any longer.
        stdout, _ = await process.communicate()
    assert process.returncode == 0
    assert b"lifespan ended" in stdout


@pytest.mark.parametrize(("sig", "drain_s"), [(signal.SIGTERM, 0), (signal.SIGINT, 10)])
async def test_a_request_outlasts_the_listener_and_the_exit_is_clean(
    sig: signal.Signals, drain_s: float
) -> None:
    async with running(drain_s) as (process, client):
        slow = asyncio.create_task(client.get("/outlasts-the-listener"))
        await client.get("/entered")
        process.send_signal(sig)
        response = await slow
        stdout, _ = await process.communicate()
    assert response.status_code == 200
    assert process.returncode == 0
    assert b"lifespan ended" in stdout


def test_a_port_that_is_taken_is_named_with_the_setting_that_changes_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortTaken, match=rf"port {port} .*PORT"):
            serve(
                lambda _: pytest.fail("not reached"),
                host="127.0.0.1",
                port=port,
                grace_s=1,
                drain_s=0,
            )


@pytest.mark.parametrize(
    ("host", "reached"),
    [("::", {"127.0.0.1", "::1"}), ("::1", {"::1"}), ("0.0.0.0", {"127.0.0.1"})],  # noqa: S104
)
async def test_all_addresses_of_ipv6_include_those_of_ipv4(host: str, reached: set[str]) -> None:
    async with running(drain_s=0, host=host) as (process, client):
        port = client.base_url.port
        found = set()
        for address in ("127.0.0.1", "::1"):
            try:
                with socket.create_connection((address, port or 0), PATIENCE_S):
                    found.add(address)
            except OSError:
                continue
        process.kill()
    assert found == reached
