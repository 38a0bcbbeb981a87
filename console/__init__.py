"""What people see: the terminal and the web pages."""
