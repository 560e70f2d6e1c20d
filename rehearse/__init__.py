"""The demo's walk in a real test account and project, compared with the stand-ins."""
