"""What a benchmark says: a JSON document, and a page made of it that needs nothing else."""
