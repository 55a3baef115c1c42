"""How fast the harness is: beside other harnesses, as it grows, and where its time goes."""
