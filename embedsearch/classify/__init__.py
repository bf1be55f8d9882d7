"""Classification: labels instead of queries, over the same vectors."""
