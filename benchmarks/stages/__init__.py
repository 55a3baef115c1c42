"""The stages of the grid."""
