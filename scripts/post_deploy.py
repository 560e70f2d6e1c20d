"""Runs `stripe-connector post-deploy` with the environment's configuration."""

from __future__ import annotations

from stripe_connector.deploy.command import post_deploy

if __name__ == "__main__":
    post_deploy()
