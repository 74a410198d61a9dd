"""Records, audit, seals."""
