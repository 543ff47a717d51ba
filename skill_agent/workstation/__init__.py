"""What front ends drive, as groups of operations with their routes."""
