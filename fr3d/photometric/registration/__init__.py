"""Registration of the photographs of one session: how far the head moved between the flashes."""
