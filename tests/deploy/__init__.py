"""What `deploy/` says agrees with the product, and its scripts do what they say."""
