"""The pages, one blueprint per file."""
