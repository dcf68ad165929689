"""A run's figures in the forms that other tools read; reading only, nothing is worked out here."""
