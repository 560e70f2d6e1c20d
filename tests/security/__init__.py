"""What attackers have tried: one file per attacker, their inputs in tables, every answer asserted.

`docs/security.md` links each threat to the tests here that prove its sentence.
"""
