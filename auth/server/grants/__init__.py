"""The ways to a token, each with Authlib's logic and our tables."""
