"""GraphQL documents turned into SQL: mapping, selection, compilation, what is kept, and running."""
