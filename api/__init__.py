"""Delivery and composition: HTTP, pages, jobs and the command line. The only place where parts meet."""
