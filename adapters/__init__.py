"""Part of the customer hub; see README.md."""

DISTRIBUTION = "customer-hub"
