"""Operating the connector: status and the command line."""
