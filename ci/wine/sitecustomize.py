"""For the Windows Python: Wine 8 has no CopyFile2 and would end the process; without it Python copies by itself."""

import sys

if sys.platform == "win32":
    import _winapi

    if hasattr(_winapi, "CopyFile2"):
        del _winapi.CopyFile2
