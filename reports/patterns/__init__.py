"""What a serving pattern is measured by beyond response time, goodput and cost."""
