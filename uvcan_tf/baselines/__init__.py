"""Methods that UVCAN is compared with; each is a `ranking.Scorer`."""
