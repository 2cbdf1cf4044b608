"""What the cleaning page is put together from: step forms, views, the row editor."""
