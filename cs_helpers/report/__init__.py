"""What a reader sees: views of results, page components, words, the chart kit."""
