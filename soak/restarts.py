"""`python -m soak.restarts haproxy`: restarts and kills of two instances behind a real balancer.

Shoppers buy all the time. A call counts as lost if it was not answered, or with a 5xx, unless its
instance was killed: then no balancer can know its result, and until the balancer's checks
notice, it places calls at an instance that is gone. The caller repeats a lost call.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import click
import httpx
from msgspec import Struct
from msgspec.structs import replace

from sandbox.addresses import LOOPBACK, Addresses, url
from sandbox.demo.people import People
from sandbox.demo.processes import Program, inherited
from sandbox.demo.start import processor_environment, stand_ins
from soak.instances import free_ports

_FALL = 3
"""Failed checks after which HAProxy takes a server out, and those that pass until it is back: 2."""
_RISE = 2
_PAUSE_S = 0.2

HAPROXY = """\
defaults
  mode tcp
  retries 0
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen processor
  bind {host}:{front}
  option httpchk GET /health/ready
  server one {host}:{ports[0]} check inter {check_s}s fall {fall} rise {rise}
  server two {host}:{ports[1]} check inter {check_s}s fall {fall} rise {rise}
"""

NGINX = """\
daemon off;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  upstream processor {{
    server {host}:{ports[0]} fail_timeout={check_s}s;
    server {host}:{ports[1]} fail_timeout={check_s}s;
  }}
  server {{
    listen {host}:{front};
    location / {{
      proxy_pass http://processor;
      proxy_set_header Host $host;
      proxy_next_upstream error;
    }}
  }}
}}
"""


class Lost(Struct, frozen=True):
    """A call without an answer, or with one that says that it was not carried out."""

    at: float
    what: str


class Balanced(httpx.HTTPTransport):
    """Sends calls to the balancer again that it lost, and remembers them."""

    def __init__(self, front: int, lost: list[Lost], answered: list[float]) -> None:
        super().__init__()
        self._front = front
        self._lost = lost
        self._answered = answered

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        while True:
            try:
                response = super().handle_request(request)
            except httpx.TransportError as error:
                if request.url.port != self._front:
                    raise
                what = f"{request.method} {request.url.path}: {type(error).__name__}"
            else:
                if request.url.port != self._front or response.status_code < 500:
                    self._answered.append(time.monotonic())
                    return response
                what = f"{request.method} {request.url.path}: {response.status_code}"
                response.close()
            self._lost.append(Lost(time.monotonic(), what))
            time.sleep(_PAUSE_S)


def _buy(people: People) -> None:
    cart = people.cart("DE", "EUR", stoneware_mug_1=1)
    headers = {"x-session-id": people.session(cart)}
    started = people.ask("POST", "/payments", headers)
    secret = started["clientSecret"]
    people.pay(secret, "pm_card_visa")
    body = {"paymentIntent": secret.partition("_secret_")[0]}
    people.ask("POST", f"/confirmPayments/{started['paymentReference']}", headers, body)


class World:
    """Stand-ins, two instances, a balancer, shoppers."""

    def __init__(self, balancer: str, check_s: int, drain_s: int, stack: ExitStack) -> None:
        self.lost: list[Lost] = []
        self.answered: list[float] = []
        self.failures: list[str] = []
        self._stack = stack
        self._folder = Path(stack.enter_context(TemporaryDirectory()))
        self._client = stack.enter_context(httpx.Client(trust_env=False, timeout=60))
        front, *rest = free_ports(7)
        self.at = Addresses(front, *rest[:4])
        self._ports = rest[4:]
        self._settings = {"SHUTDOWN_DRAIN_S": str(drain_s), "BFF_REQUESTS_PER_MINUTE": "0"}
        stack.enter_context(stand_ins(self.at, self._client, self._folder))
        self.instances = [self._start(port) for port in self._ports]
        template = HAPROXY if balancer == "haproxy" else NGINX
        file = self._folder / "balancer.conf"
        file.write_text(
            template.format(
                host=LOOPBACK,
                front=front,
                ports=self._ports,
                check_s=check_s,
                fall=_FALL,
                rise=_RISE,
                folder=self._folder,
            )
        )
        command = (
            ["haproxy", "-f", str(file)] if balancer == "haproxy" else ["nginx", "-c", str(file)]
        )
        self._balancer = subprocess.Popen(command)  # noqa: S603 - fixed commands
        stack.callback(self._end_balancer)
        self._wait(f"{url(front)}/health/ready")

    def _end_balancer(self) -> None:
        self._balancer.terminate()
        self._balancer.wait()

    def _wait(self, address: str) -> None:
        while True:
            if self._balancer.poll() is not None:
                raise click.ClickException("The balancer does not run.")
            try:
                if self._client.get(address).is_success:
                    return
            except httpx.TransportError:
                time.sleep(_PAUSE_S)

    def _start(self, port: int) -> Program:
        at = replace(self.at, processor=port)
        environment = {**inherited(), **processor_environment(at), **self._settings}
        log = self._folder / f"processor-{port}.log"
        program = Program("processor", ["stripe_connector", "serve"], environment, log)
        self._stack.callback(lambda: program.kill())
        program.wait_until(self._client, f"{url(port)}/health/ready")
        return program

    def restart(self, index: int, *, kill: bool) -> None:
        """End an instance by SIGTERM or SIGKILL, and start another at its port."""
        if kill:
            self.instances[index].kill()
        else:
            self.instances[index].ask_to_stop()
            # Longer than Program.stop waits: draining is part of what is tried.
            code = self.instances[index].wait()
            if code != 0:
                self.failures.append(f"SIGTERM ended an instance with {code}")
        self.instances[index] = self._start(self._ports[index])

    def shop(self, over: threading.Event) -> Callable[[], None]:
        """A shopper's work until `over`."""

        def work() -> None:
            transport = Balanced(self.at.processor, self.lost, self.answered)
            with httpx.Client(transport=transport, trust_env=False, timeout=60) as client:
                people = People(self.at, client, lambda _: None)
                while not over.is_set():
                    try:
                        _buy(people)
                    except Exception as error:  # noqa: BLE001 - every failure of a purchase counts
                        self.failures.append(f"a purchase failed: {error}")
                        return

        return work

    def reconcile(self) -> int:
        """Exit code of a dry run: 0 if commercetools and Stripe agree."""
        environment = {**inherited(), **processor_environment(self.at)}
        command = [sys.executable, "-m", "stripe_connector", "reconcile", "--since", "P1D"]
        return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


@click.command()
@click.argument("balancer", type=click.Choice(["haproxy", "nginx"]))
@click.option("--check-s", default=5, show_default=True, help="Seconds between two checks.")
@click.option("--drain-s", default=20, show_default=True, help="SHUTDOWN_DRAIN_S.")
@click.option("--restarts", default=8, show_default=True, help="SIGTERMs, of both in turn.")
@click.option("--kills", default=2, show_default=True, help="SIGKILLs, of both in turn.")
@click.option("--shoppers", default=3, show_default=True)
def main(
    balancer: str, check_s: int, drain_s: int, restarts: int, kills: int, shoppers: int
) -> None:
    """Exits with 1 if a call was lost that could have been placed, or the records differ."""
    if shutil.which(balancer) is None:
        raise click.ClickException(f"{balancer} is not installed.")
    notice_s = check_s * max(_FALL, _RISE) + 1
    excused: list[tuple[float, float]] = []
    over = threading.Event()
    with ExitStack() as stack:
        world = World(balancer, check_s, drain_s, stack)
        threads = [threading.Thread(target=world.shop(over)) for _ in range(shoppers)]
        for thread in threads:
            thread.start()
        for turn in range(restarts + kills):
            kill = turn >= restarts
            began = time.monotonic()
            world.restart(turn % 2, kill=kill)
            time.sleep(notice_s)
            if kill:
                excused.append((began, time.monotonic()))
        over.set()
        for thread in threads:
            thread.join()
        reconciled = world.reconcile()
    unexcused = [
        each
        for each in world.lost
        if not any(began <= each.at <= ended for began, ended in excused)
    ]
    click.echo(
        f"{balancer}: {restarts} SIGTERMs, {kills} SIGKILLs; {len(world.answered)} calls answered,"
        f" {len(world.lost) - len(unexcused)} lost with a killed instance,"
        f" {len(unexcused)} lost otherwise; reconcile exits with {reconciled}"
    )
    for each in [*(lost.what for lost in unexcused), *world.failures]:
        click.echo(f"  {each}")
    sys.exit(1 if unexcused or world.failures or reconciled or not world.answered else 0)


if __name__ == "__main__":
    main()
