"""Templates of enrolled people, their index, and calibrated decisions."""
