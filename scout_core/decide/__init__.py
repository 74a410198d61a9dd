"""What people decide, link, hold and take back."""
