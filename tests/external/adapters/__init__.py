"""The functions of other libraries, as graphc's: a table for each, from the other's name."""
