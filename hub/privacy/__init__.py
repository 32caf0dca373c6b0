"""What people may ask for: to see what is held of them, to have it erased, restricted, or not used
for a purpose; and how long things are kept."""
