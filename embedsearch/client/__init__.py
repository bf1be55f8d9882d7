"""The OpenAI API: every endpoint written once, run by a blocking and by an awaiting client."""

from embedsearch.client.clients import AsyncClient, Client

__all__ = ["AsyncClient", "Client"]
