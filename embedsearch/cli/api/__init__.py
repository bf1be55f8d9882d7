"""``embedsearch api``: every family of the OpenAI API from a shell, a module each."""
