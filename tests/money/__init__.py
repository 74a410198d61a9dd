"""What would be paid."""
