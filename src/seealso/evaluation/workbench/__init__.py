"""What the Search Relevance Workbench of OpenSearch imports of an evaluation."""
