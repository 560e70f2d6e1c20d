"""The description of the interface: made of the table of endpoints, for programs and for people."""
