"""The benchmark: a processor under load, with backends of minimal cost.

It uses the processor only from outside: a process, its environment and its HTTP interface.
"""
