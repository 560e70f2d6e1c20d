"""The storefront contract under /api/v1: what pages of a shop call, without any credentials."""
