"""Dagster's web server on this machine, closed to other web pages.

Dagster's server has no login and checks neither where a request comes from nor what it is: any page that is open in a
browser of the same machine could start runs and read tables. ``guard`` decides, ``server`` puts it around Dagster's
application, ``dev`` is ``dagster dev`` with that server.
"""
