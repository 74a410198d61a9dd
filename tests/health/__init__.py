"""The verdict, its lights, the checks of the sources."""
