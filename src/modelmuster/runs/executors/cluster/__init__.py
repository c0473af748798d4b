"""Several machines: Ray places and notices losses; each of its workers owns a fork server that contains the cells."""
