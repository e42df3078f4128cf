"""`flowstone context`: what prompts of a past run would have been given under another memory policy."""
