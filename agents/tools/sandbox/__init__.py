"""Running solutions, which are hostile until proven otherwise. Touches processes and files."""

from agents.tools.sandbox.process import ProcessSandbox
from agents.tools.sandbox.protections import Protections, SandboxError

__all__ = ["ProcessSandbox", "Protections", "SandboxError"]
