"""What a program is: types, cards, nodes, graphs, events, text. Knows no operation by name."""
