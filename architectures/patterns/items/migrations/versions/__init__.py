"""The steps of the catalogue's schema, one file a step."""
