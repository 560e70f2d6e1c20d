"""The benchmark: a processor under load, before backends that cost next to nothing.

It knows the processor from outside alone: a process, its environment and its HTTP interface.
"""
