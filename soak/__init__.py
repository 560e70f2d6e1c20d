"""The soak: two instances behind one address, mixed traffic, faults at random, then a judgement."""
