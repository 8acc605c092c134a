"""What runs inside the jail; nothing else of the product is visible there. Standard library and numpy only."""
