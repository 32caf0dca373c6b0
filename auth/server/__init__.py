"""The OAuth 2.1 authorization server, and the ways to its tokens."""
