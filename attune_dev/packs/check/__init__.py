"""What is wrong with a pack, found before it is synced.

An error is what keeps services from loading or running something; what other installations may
take is a warning at most, and a field that nobody here knows is nothing.
"""
