"""Deployment effort as a page: what was measured of each deployment, and how it grows."""
