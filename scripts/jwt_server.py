"""Serves the JWT mock server on loopback: `python scripts/jwt_server.py [--port 9000]`."""

from __future__ import annotations

import argparse
import os

import uvicorn

from sandbox import gate
from sandbox.addresses import JWT
from sandbox.jwt import create_app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=JWT.port(os.environ))
    arguments = parser.parse_args()
    app = gate.Gate(create_app(), gate.hosts(os.environ), gate.origins(os.environ))
    uvicorn.run(app, host="127.0.0.1", port=arguments.port)


if __name__ == "__main__":
    main()
