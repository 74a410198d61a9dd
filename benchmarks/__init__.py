"""Benchmarks: `make bench`. Never a test: ratios of what is run side by side."""
