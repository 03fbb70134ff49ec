"""What benchmarks ask servers with."""
