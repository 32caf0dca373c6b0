"""Consent as it is worked with: decisions, purposes, documents, and what people are asked."""
