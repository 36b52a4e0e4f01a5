"""What the machine must have: the environment, the engine and its plugins, the base images."""
