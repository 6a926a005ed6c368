"""From numbers to words, tables and figures, before any file format."""
