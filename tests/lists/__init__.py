"""Filters, orders, pages."""
