"""Query time: a user becomes a profile, a profile becomes one request, hits become a list."""

from seealso.plugin.recommendations import Recommendation, RecommendationList
from seealso.plugin.recommender import Recommender

__all__ = ["Recommendation", "RecommendationList", "Recommender"]
