"""What roles that close a run build on: what is there when the search ends, blends, other seeds. Pure."""
