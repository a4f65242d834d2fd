"""What Standpipe costs, as ratios to a bare floor measured in the same run on the same machine. Printed, never asserted: `make bench`."""
