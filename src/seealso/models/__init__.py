"""Models of who chooses what, each implemented once: fitting, evaluation and serving import them.

What serving imports (`user_knn.vote`) needs numpy alone; the fits need the extra ``evaluate``.
"""
