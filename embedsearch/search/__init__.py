"""Search: candidates by words and by meaning, fused into hits."""
