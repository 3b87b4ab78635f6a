"""``python -m hw_sim KIND``."""

from hw_sim.cli import main

if __name__ == "__main__":
    main(prog_name="python -m hw_sim")
