"""A site in one file, and a site from it: the database, the secret key, the models that do not ship with the project.

A backup is a plain tar: ``manifest.json`` first, which names the other members with their sizes and SHA-256, and every
table of the database with its row count and a hash over its rows. Nothing in it is ever run or unpickled.
"""
