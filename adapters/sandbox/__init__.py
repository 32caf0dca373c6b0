"""Pretend vendors for tests and the demo: strict as the real ones, and wrong on command."""
