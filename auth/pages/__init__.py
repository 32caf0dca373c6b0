"""Pages that people see: plain HTML without any script, in English and Russian."""
