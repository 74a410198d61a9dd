"""What is collected and what would be paid, with the scout of each person."""
