"""Colleagues: who they are, how they log in, and what they let apps do."""
