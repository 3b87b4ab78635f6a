"""What goes into the Debian packages beside the program."""
