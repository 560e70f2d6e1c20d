"""commercetools over HTTP: typed, thin, with one token cache."""

from stripe_connector.gateways.commercetools.gateway import Commercetools

__all__ = ["Commercetools"]
