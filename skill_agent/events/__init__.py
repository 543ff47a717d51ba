"""What happens, as a closed set of plain values."""
