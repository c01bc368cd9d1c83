"""The module for users' own tests, and the test clients that they use."""
