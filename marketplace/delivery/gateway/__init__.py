"""What delivery calls outside: labs' buckets, and their webhooks."""
