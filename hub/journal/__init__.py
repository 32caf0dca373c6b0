"""The journal: what people took back, in files beside the database, for the day it is restored."""
