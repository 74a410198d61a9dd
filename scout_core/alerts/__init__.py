"""What asks for attention, from its first day to its last."""
