"""The drift worker: whether what users ask still looks like what the model was trained on."""
