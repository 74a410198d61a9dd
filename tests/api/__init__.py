"""The API, asked as a program asks it, on a real database."""
