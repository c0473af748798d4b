"""Ways to bring cells to processes, one file each, registered under `modelmuster.executors`."""
