"""Who acts: one file per role, each a value called `role`. Only `agents/tools` may do I/O."""
