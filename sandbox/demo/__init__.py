"""The demo: starts shop, stand-ins and processor, walks through the main job, and stays up."""
