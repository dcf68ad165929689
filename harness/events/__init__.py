"""What is done to a SUT or its surroundings while load is played."""
