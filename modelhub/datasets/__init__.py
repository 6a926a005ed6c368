"""Readers for the official files of the paper's data sets, and the corpus that comes with the project."""
