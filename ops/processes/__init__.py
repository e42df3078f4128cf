"""A system as processes: started, watched, ended."""
