"""Titles as an enemy of the page would write them."""

HOSTILE = (
    "<script>alert('title')</script><img src=x onerror=alert('image')>"
    "</script><script>alert('json')</script>{{ 7 * 7 }}<b>bold</b>"
)
