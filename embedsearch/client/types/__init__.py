"""What the API answers, as records."""
