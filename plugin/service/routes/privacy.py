"""What is kept of a user: shown to them, or deleted."""

import os

from fastapi import APIRouter, Response

from seealso.indexer.privacy import export_user, forget
from seealso.plugin.profiles.users import read_id
from seealso.plugin.recommender import Recommender
from seealso.plugin.service.bodies.changes import ForgottenUser, KeptOfUser
from seealso.plugin.service.problems import own_settings
from seealso.plugin.service.routes.answers import as_json
from seealso.readers import Pseudonyms


def privacy_routes(recommender: Recommender) -> APIRouter:
    """Return the addresses of what is kept of a user."""
    router = APIRouter(prefix="/v1", tags=["users"])
    cluster, settings = recommender.cluster, recommender.settings

    @router.get("/users/{user_id:path}", response_model=KeptOfUser)
    def export(user_id: str) -> Response:
        """Return all that is kept of a user, by index; nothing of whom nothing is."""
        name = read_id("user_id", user_id)
        with own_settings():
            names = Pseudonyms.from_environment(os.environ)
            found = export_user(cluster, settings, names, name)
        return as_json({"pseudonym": found.pseudonym, "documents": found.documents})

    @router.delete("/users/{user_id:path}", response_model=ForgottenUser)
    def delete(user_id: str) -> Response:
        """Delete all that is kept of a user, and say where a later build would find them again."""
        name = read_id("user_id", user_id)
        with own_settings():
            names = Pseudonyms.from_environment(os.environ)
            done = forget(cluster, settings, names, name)
        return as_json(
            {"pseudonym": done.pseudonym, "deleted": done.deleted, "remains": done.remains}
        )

    return router
