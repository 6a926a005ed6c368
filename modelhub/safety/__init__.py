"""Whether an utterance is abusive: a weak filter that asks people to look, and never decides."""
