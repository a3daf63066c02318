__import__("setuptools").setup()  # all metadata is in pyproject.toml
