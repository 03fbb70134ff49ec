"""What the API takes and gives, by topic; written from its document."""
