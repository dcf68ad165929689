"""Deploy a system under test, drive a load plan at it, and keep what was seen."""
