"""Adapters of one family; one file per vendor."""
