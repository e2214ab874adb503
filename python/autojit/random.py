"""Random numbers of the generator of the process, as numpy.random.

In a compiled function numbers are drawn anew in each call.
"""

from ._functions import export

__all__ = export("random", globals())
