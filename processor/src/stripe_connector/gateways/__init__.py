"""The only code that speaks to the outside."""
