"""Examines a deployment: is it sound, and if not, what is the cause and what is the remedy?"""
