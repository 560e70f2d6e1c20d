"""Whether to restart this instance, and whether to send it requests."""

import pytest

from stripe_connector.http.health_routes import HealthRoutes, Readiness

from .conftest import Serve


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("path", "stopping", "status"),
    [
        ("/health/live", False, 200),
        ("/health/live", True, 200),
        ("/health/ready", False, 200),
        ("/health/ready", True, 503),
    ],
)
async def test_a_stopping_instance_is_alive_but_not_ready(
    serve: Serve, readiness: Readiness, method: str, path: str, stopping: bool, status: int
) -> None:
    if stopping:
        readiness.stop()
    async with serve(HealthRoutes(readiness).routes()) as client:
        assert (await client.request(method, path)).status_code == status
