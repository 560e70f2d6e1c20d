"""Operating the connector: the commands serve, doctor and reconcile."""
