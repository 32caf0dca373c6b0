"""The consent ledger: what an entry may say, and the state that follows from all of them."""
