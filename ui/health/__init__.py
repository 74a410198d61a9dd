"""Parts of the page of health."""
