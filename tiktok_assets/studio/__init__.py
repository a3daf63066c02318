"""A visit to TikTok Studio: from a saved login to exports that lie whole in landing, or one of our typed failures.

    studio = BrowserStudio(settings=settings)
    with studio.visit(account) as visit:
        landed = visit.export("overview", first, last)

``extraction`` is what assets see; ``exports.windows`` decides what to ask for, ``limits`` when, ``session`` with whose
login, ``pages`` and ``picker`` know what Studio looks like, ``download`` what a good file is. Importing any of it
imports no Playwright. What becomes of a landed file does not belong here.
"""
