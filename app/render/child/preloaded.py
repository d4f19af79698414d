"""Imported by the fork server: hashes the code that it has just loaded.

Its children find that done. Were each to read the files again, a worker that goes on while
they are replaced would keep what its old code makes under the new code's keys.
"""

from app.render.video.stepkey import build_digest

build_digest()
