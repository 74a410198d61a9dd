"""Messages to the outside and how they are delivered."""
