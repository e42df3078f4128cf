"""One run as people see it: started, kept in time, steered, ended."""
