"""A trained model as a function from faces to embeddings, and its export."""
