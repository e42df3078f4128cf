"""`flowstone why`: from one solution back to the executions that it rests on."""
