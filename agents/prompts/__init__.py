"""What roles say to models, and how replies are read: pure functions over text."""
