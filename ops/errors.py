"""The one error of this floor: a step failed, and this is what to do about it."""


class StepFailed(Exception):
    """`step` is what was being done, `remedy` what the person in front of it can do."""

    def __init__(self, step: str, what: str, remedy: str) -> None:
        super().__init__(f"{step} failed: {what}\n  What to do: {remedy}")
        self.step, self.what, self.remedy = step, what, remedy
