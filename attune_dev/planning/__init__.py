"""Pure decisions: from changed paths and the workspace to a plan with reasons."""
