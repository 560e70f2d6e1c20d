"""The demo: starts stand-ins and processor, walks through the main job, and stays up."""
