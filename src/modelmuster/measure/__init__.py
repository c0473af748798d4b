"""Instruments: time, memory, energy, and how quiet the machine is. What to make of the numbers is not here."""
