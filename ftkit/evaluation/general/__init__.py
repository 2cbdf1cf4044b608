"""Questions on what a model knew before it was tuned: has it forgotten any of that?"""
