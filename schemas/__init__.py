"""What is said: commands, events, rejections and money. Imports nothing of ours."""
