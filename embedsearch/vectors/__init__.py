"""FAISS behind one small room: which index for how many rows, filtered search, the cache file."""
