"""``python -m tests.soak.scheduler app.actors``: periodiq, which is no module that can be run."""

import periodiq

if __name__ == "__main__":
    periodiq.entrypoint()
