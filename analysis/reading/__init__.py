"""From a study in the database, or a file of ratings, to arrays: a RatingsFrame, and what is known of its talks."""
