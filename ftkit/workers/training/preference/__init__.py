"""Learning from preferences: pairs of answers (DPO) and marked answers (KTO)."""
