"""What makes the one file, the list of what is inside, and the Debian packages."""
