"""What every list shares: filters, orders, pages."""
