"""What a reader sees of retention; importing this package registers the views."""

from cs_helpers.retention.views import renewals, revenue

__all__ = ["renewals", "revenue"]
