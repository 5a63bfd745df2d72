"""Fine-tuning of decoder and head."""
