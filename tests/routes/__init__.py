"""Rules of views, in every framework and by every way to a view."""
