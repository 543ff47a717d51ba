"""What is done with memories as they age: merging, summing up, tiers and expiry."""
