"""How the models are made: recipes, the trainer of poly-encoders, the dialogue manager, candidate banks."""
