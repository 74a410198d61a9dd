"""What asks for attention."""
