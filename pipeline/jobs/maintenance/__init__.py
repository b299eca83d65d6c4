"""Care of the data: back it up and restore it, drop what is old, move it to another database. One file a job."""
