"""A visit to TikTok Studio: from a saved login to complete exports in landing, or a typed failure.

    studio = BrowserStudio(settings=settings)
    with studio.visit(account) as visit:
        landed = visit.export("overview", first, last)

``interface`` is what assets see; ``exports.windows`` decides what to request, ``limits`` when, ``session`` with which
login; ``pages`` and ``picker`` know what Studio looks like, ``download`` what a valid file is. Importing any of them
does not import Playwright. What happens to a landed file does not belong here.
"""
