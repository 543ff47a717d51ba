"""What jobs do: one class a kind of job."""
