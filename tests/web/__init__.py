"""The pages as Streamlit's own test runner sees them, on a real database."""
