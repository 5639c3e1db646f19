"""How people reacted to what was posted: labels, honest splits, the ladder, the evaluation."""
