"""The memory part of every prompt: what is in scope, what of it fits, and where it came from. Pure."""

from agents.context.building import Context, Memory, build, trajectories
from agents.context.tokens import Counter, estimate
from agents.context.wording import described

__all__ = ["Context", "Counter", "Memory", "build", "described", "estimate", "trajectories"]
