"""The data room: from an uploaded file to a split."""
