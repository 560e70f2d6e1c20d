"""The soak: two instances behind one address, mixed traffic, random faults, then a verdict."""
