"""The HTTP API: Falcon on WSGI. Never imports actors or render."""

from app.http.app import create_app

__all__ = ["create_app"]
