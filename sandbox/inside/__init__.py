"""What runs inside the jail, with the standard library and numpy only. The jail sees this folder, not the product."""
