"""Any order of submitting, sending again, editing, lost replies, reloads and two tabs leaves what a simple model expects."""

import shutil
import tempfile
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from ftkit.settings import Settings
from ftkit.workspace import Workspace
from tests.studied import open_study

CHOICES = st.sampled_from([0, 1, "tie", "both_bad"])


class Rating(RuleBasedStateMachine):
    """Two raters with two tabs each over the real store."""

    seen = Bundle("seen")  # (token, task) that a tab shows
    sent = Bundle("sent")  # (token, task, submission, choice) of which the page may not have heard

    @initialize()
    def begin(self) -> None:
        self.home = Path(tempfile.mkdtemp())
        self.workspace = Workspace(Settings.from_environment({"FTKIT_HOME": str(self.home)}))
        self.study, self.tokens = open_study(self.workspace, raters=2, prompts=3, overlap=2)
        self.said: dict[str, tuple[object, int]] = {}
        self.replies: dict[str, int] = {}
        self.changes = 0

    @rule(target=seen, who=st.integers(0, 1))
    def load(self, who):
        told = self.workspace.raters.task(self.tokens[who])
        if told["task"] is None:
            assert told["state"] == "finished"
            return multiple()
        assert told["task"]["id"] not in self.said
        return self.tokens[who], told["task"]["id"]

    @rule(target=sent, shown=seen, choice=CHOICES, heard=st.booleans())
    def submit(self, shown, choice, heard):
        submission = str(uuid.uuid4())
        self._send(*shown, submission, choice)
        return (*shown, submission, choice) if not heard else multiple()

    @rule(one=sent, copies=st.integers(1, 5))
    def send_again(self, one, copies):
        token, task, submission, choice = one
        with ThreadPoolExecutor(copies) as pool:
            say = [
                pool.submit(self.workspace.raters.submit, token, task, submission, {"choice": choice}, 1.0)
                for _ in range(copies)
            ]
            assert {reply.result()["revision"] for reply in say} == {self.replies[submission]}

    @rule(one=consumes(sent))
    def give_up_sending(self, one):
        self.send_again(one, 1)

    @rule(shown=seen, number=st.integers(1, 5))
    def draft(self, shown, number):
        self.workspace.raters.save_draft(*shown, {"comment": f"{number}"}, number)

    @rule(shown=seen)
    def show_again(self, shown):
        task = self.workspace.raters.shown(*shown)["task"]
        told = self.said.get(shown[1])
        assert task["rating"] == (None if told is None else {"choice": told[0]})

    def _send(self, token, task, submission, choice):
        reply = self.workspace.raters.submit(token, task, submission, {"choice": choice}, 1.0)
        revision = self.said.get(task, (None, 0))[1] + 1
        assert (reply["submission"], reply["revision"]) == (submission, revision)
        self.said[task] = (choice, revision)
        self.replies[submission] = revision
        self.changes += 1

    @invariant()
    def the_store_holds_what_was_said(self):
        if not hasattr(self, "study"):
            return
        rated = self.workspace.studies.rated(self.study)
        assert len({(one.item, one.rater) for one in rated}) == len(rated) == len(self.said)
        assert self.workspace.studies.verify(self.study) == (self.changes, None)

    def teardown(self):
        if hasattr(self, "workspace"):
            self.workspace.close()
            shutil.rmtree(self.home)


TestRating = Rating.TestCase
TestRating.settings = settings(max_examples=8, stateful_step_count=14)
