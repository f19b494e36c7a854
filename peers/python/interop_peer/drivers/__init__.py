"""One module for each library: the name after ``--driver``, with ``_`` for ``-``.

A driver module has one function, ``make(server) -> Driver`` (see ``driver.py``).
"""
