"""Installation, doctor, restore."""
