"""What is not as it should be in a checkout, on its machine and in its stack."""
