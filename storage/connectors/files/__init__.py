"""CSV and Excel files as a source."""
