"""Who is in which partition and role: splits, selections, leak checks."""
