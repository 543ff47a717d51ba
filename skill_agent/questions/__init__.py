"""Questions to a person that wait until they are answered, whatever happens to the process."""
