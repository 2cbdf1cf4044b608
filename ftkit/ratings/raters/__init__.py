"""What raters do: get a task, keep a draft, submit."""
