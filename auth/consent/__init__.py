"""Pages that people come to from their mail: to confirm a consent, and to leave a mailing."""
