"""The chart kit: ink, labels, layout and the way onto the page. Charts themselves belong to their subject."""
