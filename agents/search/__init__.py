"""Search policies: pure functions from the tree to the next choice, one file each."""
