"""Does the answer change when only the name under the question does?"""
