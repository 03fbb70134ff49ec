"""Background functions of quality, by what they are about."""
