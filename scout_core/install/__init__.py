"""The installation: made, examined, taken away."""
