"""What the hub shows on its port: routes, and the server under them."""
