"""What is kept: the log in DuckDB, artifacts by hash, and the pure folds over them."""
