"""The loop: seeing changes, waiting for quiet, and acting once."""
