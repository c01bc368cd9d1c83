"""What an app of flaskapi-guard meets after its import line was changed."""
