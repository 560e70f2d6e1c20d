"""Is this deployment sound, and if not: what exactly is the cause, and how is it mended?"""
