"""What the screens show, without Textual: runs read from their journals, and views of them."""
