"""What writes each format, and reads those that are our own: one file a format."""
