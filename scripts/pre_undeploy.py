"""Runs `stripe-connector pre-undeploy` with the environment's configuration."""

from __future__ import annotations

from stripe_connector.deploy.command import pre_undeploy

if __name__ == "__main__":
    pre_undeploy()
