"""The models that ship with the project: the eight systems of Table 7, small."""
