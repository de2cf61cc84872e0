"""Voice embeddings: a small network that tells who speaks, whatever they feel while speaking."""
