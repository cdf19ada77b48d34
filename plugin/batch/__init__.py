"""Lists for many users: a file of users in, a file of lists out."""

from seealso.plugin.batch.lists import BatchReport, recommend_file

__all__ = ["BatchReport", "recommend_file"]
