"""SQL over everything that is stored: a table for each device, whatever form its samples are in."""
