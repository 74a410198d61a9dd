"""What loaders and people leave in the sources."""
