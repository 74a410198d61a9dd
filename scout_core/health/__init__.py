"""Whether attribution is all right: the verdict, its lights, invariants, checks of the sources."""
