"""What vendors gave the hub leave for: fetched, kept and renewed."""
