"""What an experiment leaves behind: predictions on disk, and every report that is made from them. No torch here."""
