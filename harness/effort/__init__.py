"""Deployment effort: what it takes to bring an ensemble up, to change it, and how that grows."""
