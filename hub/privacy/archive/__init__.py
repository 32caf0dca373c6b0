"""What a person takes away: everything that is held of them, as a zip of JSON and CSV."""
