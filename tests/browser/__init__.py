"""The pages in Chromium, one server and one database for all of them."""
