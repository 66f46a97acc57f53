"""Cases nobody here wrote, run against graphc. ``python -m tests.external`` prints the table."""
