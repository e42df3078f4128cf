"""What the log tells people: found where it is, asked, shown, rebuilt and decided again."""
