"""Workers of our own making, who go through a running site's front door: to try a study before people do."""
