"""`real eval judge`: whether a judge can be trusted."""
