"""How well models rank what a person really said next."""
