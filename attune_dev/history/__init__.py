"""What was done and how long it took: the record of builds and actions."""
