"""What comes in: files of this machine, uploads and data sets of the Hub, read apart from the dashboard."""
