"""Tests of the product, on a real PostgreSQL."""
