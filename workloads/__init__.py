"""What is asked of a system under test, and when."""
