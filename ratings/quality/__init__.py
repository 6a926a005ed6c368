"""Worker quality: rules that look at a worker's talks and ratings, what they found, and what was decided about it."""
