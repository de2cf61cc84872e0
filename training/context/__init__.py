"""Training of dialogue models: features of corpora, windows, the objective, teachers, scores."""
