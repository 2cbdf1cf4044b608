"""The loop from data to ratings and from ratings to the next model: what needs the data, the ratings and the training room at once.

Takes ids and wishes, gives records and what the next step is begun with. It makes no choice that a rule of one of the rooms makes.
"""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple, cast

from ftkit.data.phrases import phrase
from ftkit.data.preferring.service import Origin, Preferred, PreferringService
from ftkit.data.prompts.drawing import Asked
from ftkit.data.prompts.service import PromptService
from ftkit.data.service import DataService
from ftkit.data.splits.service import SplitService
from ftkit.errors import BadInput, NotFound, Refused
from ftkit.ratings.preferences.rules import REASONS, Preferences, preferences
from ftkit.ratings.preferences.wishes import Method, PreferenceWishes
from ftkit.ratings.results.service import asked_of
from ftkit.ratings.sides.names import Side
from ftkit.ratings.sides.service import SideService
from ftkit.ratings.studies.options import MOST_SIDES, Prompt, Source, StudyOptions
from ftkit.ratings.studies.service import StudyService
from ftkit.ratings.studies.views import StudyView
from ftkit.records import PARTS, Part, Record, Run, Study
from ftkit.training.continuing import begun_with, recipe_for
from ftkit.training.service import TrainingService
from ftkit.training.spec import RunSpec

_MOST_PROMPTS = 5000


class MadePreferences(Record):
    """Preference data of a study.

    ``counts`` are those of ``preferences.rules``, with ``rows`` = ``rows_train`` + ``rows_validation`` + ``rows_between_parts``, which
    are too like rows of both parts for either.
    """

    dataset: str
    split: str
    method: Method
    counts: dict[str, int]


class NextTraining(Record):
    """What the train page is opened with; ``start_from_run`` is empty where no side of the study is an adapter."""

    split: str
    recipe: str
    model: str
    start_from_run: str = ""


class NextStudy(Record):
    """What a new study is opened with, to see whether the new run is better; ``split`` is where its prompts are from."""

    sides: tuple[str, ...]
    split: str = ""
    part: str = ""


class Rooms(NamedTuple):
    """The services that the loop joins."""

    data: DataService
    splits: SplitService
    prompts: PromptService
    preferring: PreferringService
    sides: SideService
    studies: StudyService
    training: TrainingService


class Loop:
    """The loop over one data folder."""

    def __init__(self, rooms: Rooms) -> None:
        self._rooms = rooms

    def new_study(
        self,
        options: StudyOptions,
        source: Source | None = None,
        *,
        texts: Sequence[str] = (),
        rows: int = 50,
    ) -> Study:
        """Collect the prompts and begin a study.

        Args:
            options: of the study; its seed draws the prompts.
            source: a split with its part, or a dataset.
            texts: prompts that a person wrote, instead of a source.
            rows: how many prompts of the source.

        Raises:
            BadInput: there is no source or more than one, no prompt, or too many.
        """
        source = source or Source()
        given = [bool(source.split), bool(source.dataset), bool(texts)]
        if sum(given) != 1:
            raise BadInput(
                "loop.which_prompts", "Choose one: a part of a split, a dataset, or prompts of your own."
            )
        if not 0 < rows <= _MOST_PROMPTS or len(texts) > _MOST_PROMPTS:
            raise BadInput(
                "loop.how_many_prompts",
                "A study has 1 to {most} prompts, not {count}. Choose fewer.",
                most=_MOST_PROMPTS,
                count=len(texts) or rows,
            )
        if texts:
            return self._rooms.studies.create(options, _written(texts), source)
        return self._rooms.studies.create(options, self._drawn(source, rows, options.seed), source)

    def count_preferences(self, study: str, wishes: PreferenceWishes | None = None) -> dict[str, int]:
        """What ``make_preferences`` would make, as the counts of ``preferences.rules``; nothing is made, and a study may be open.

        Raises:
            NotFound: there is no such study.
        """
        return self._preferences(self._rooms.studies.get(study), wishes or PreferenceWishes()).counts

    def make_preferences(self, study: str, wishes: PreferenceWishes | None = None) -> MadePreferences:
        """Ratings as a dataset with a split to train on; the same wishes on the same ratings give the same one.

        Raises:
            NotFound: there is no such study.
            Refused: the study is not closed, or its prompts are of the test part and the wishes do not confirm that.
            BadInput: the ratings give no preference.
        """
        wishes = wishes or PreferenceWishes()
        view = self._rooms.studies.get(study)
        if view.state != "closed":
            raise Refused(
                "loop.study_not_closed",
                "The study {study} is {state}. Close it first: ratings that come later would be missing in the data.",
                study=view.study.name,
                state=view.state,
            )
        found = self._preferences(view, wishes)
        if not found.rows:
            raise BadInput(
                "loop.no_preferences",
                "The ratings give no preference ({reasons}). Collect more ratings, or ask for less agreement.",
                reasons=", ".join(f"{name} {found.counts[name]}" for name in REASONS if found.counts[name])
                or "no items",
            )
        origin = Origin(
            study=study,
            # Another rating, or a rater who was shut out since, gives other preferences.
            key=f"{view.changes} {self._revoked(study)} {wishes.model_dump_json(exclude={'use_test_rows'})}",
            name=f"{view.study.name} · {wishes.method}",
            part=view.study.part,
            notes=_notes(found.counts),
            license=self._license(view.study),
        )
        rows = [
            Preferred(row.item, row.prompt, row.answer, row.rejected, row.good, row.made_by)
            for row in found.rows
        ]
        dataset, split = self._rooms.preferring.make(rows, origin, use_test_rows=wishes.use_test_rows)
        sizes = {f"rows_{part}": split.sizes.get(part, 0) for part in PARTS[:2]}
        sizes["rows_between_parts"] = dataset.rows - sum(sizes.values())
        return MadePreferences(
            dataset=dataset.id, split=split.id, method=wishes.method, counts=found.counts | sizes
        )

    def next_training(self, study: str, made: MadePreferences) -> NextTraining:
        """What to train with preference data: the recipe for the model, on top of the adapter that raters liked best.

        Raises:
            NotFound: there is no such study, or no recipe that learns from preferences.
        """
        view = self._rooms.studies.get(study)
        sides = [Side.parse(name) for name in view.study.sides]
        chosen = Counter(row.side for row in self._preferences(view, PreferenceWishes()).rows)
        adapters = [side for side in sides if side.kind != "base" and self._rooms.sides.place(side).adapter]
        best = max(adapters, key=lambda side: chosen[str(side)], default=None)
        model = self._rooms.sides.model_of(best or sides[0])
        recipe = recipe_for(self._rooms.training.recipes(), model, made.method)
        if recipe is None:
            raise NotFound(
                "loop.no_recipe",
                "No recipe learns by {method}. Choose a recipe and set its method on the Train page.",
                method=made.method,
            )
        run = self._rooms.sides.run_of(best) if best else ""
        return NextTraining(split=made.split, recipe=recipe.name, model=model, start_from_run=run)

    def begun_with(self, following: NextTraining) -> RunSpec:
        """The settings that the train page shows.

        Raises:
            NotFound: there is no such split, recipe or run.
        """
        split = self._rooms.splits.get(following.split)
        run, model = following.start_from_run, following.model
        if run:
            model = self._rooms.sides.model_of(Side(kind="run", id=run))
        spec = self._rooms.training.recipe(following.recipe).spec
        return begun_with(
            spec,
            model or spec.model_name_or_path,
            run,
            split.sizes.get("train", 0),
            split.sizes.get("validation", 0),
        )

    def next_study(self, run: str) -> NextStudy:
        """A study of a run beside all that it was made from: the base model, the run that it goes on from, itself.

        Raises:
            NotFound: there is no such run.
        """
        line = [self._run(run)]
        while before := line[0].spec.get("start_from_run"):
            try:
                line.insert(0, self._run(before))
            except NotFound:
                break
        sides = [f"base:{line[0].model}", *(f"run:{one.id}" for one in line)]
        kept = sides if len(sides) <= MOST_SIDES else [sides[0], *sides[1 - MOST_SIDES :]]
        return NextStudy(sides=tuple(kept), **self._prompts_of(line[-1]))

    def _preferences(self, view: StudyView, wishes: PreferenceWishes) -> Preferences:
        studies, study = self._rooms.studies, view.study.id
        return preferences(
            studies.items(study), studies.rated(study), wishes, asked_of(view), self._revoked(study)
        )

    def _revoked(self, study: str) -> list[str]:
        people = self._rooms.studies.raters(study)
        return sorted(one.rater for one in people if one.revoked_at is not None)

    def _prompts_of(self, run: Run) -> dict[str, str]:
        """Where the prompts of the study were from whose ratings a run has learnt; nothing where it has learnt from none."""
        dataset = self._rooms.training.dataset_of(run.id)
        parents = self._rooms.data.get(dataset).parents if dataset else ()
        for parent in parents:
            try:
                study = self._rooms.studies.get(parent).study
            except NotFound:
                continue
            return {"split": study.split, "part": study.part}
        return {}

    def _run(self, id_: str) -> Run:
        return self._rooms.training.get(id_).run

    def _drawn(self, source: Source, rows: int, seed: int) -> list[Prompt]:
        if source.dataset:
            return [
                _prompt(one) for one in self._rooms.prompts.of_dataset(source.dataset, rows, seed).prompts
            ]
        drawn = self._rooms.prompts.of_split(source.split, cast("Part", source.part), rows, seed)
        return [_prompt(one) for one in drawn.prompts]

    def _license(self, study: Study) -> str:
        """That of the data whose prompts were asked."""
        try:
            dataset = self._rooms.splits.get(study.split).dataset if study.split else study.dataset
            return self._rooms.data.get(dataset).license if dataset else ""
        except NotFound:
            return ""


def _written(texts: Sequence[str]) -> list[Prompt]:
    """Prompts that a person wrote, each once; empty ones are none."""
    told = dict.fromkeys(text.strip() for text in texts if text.strip())
    return [Prompt(messages=({"role": "user", "content": text},)) for text in told]


def _prompt(one: Asked) -> Prompt:
    return Prompt(
        messages=one.messages, reference=one.reference, row=one.row, slices=one.labels, plain=one.plain
    )


def _notes(counts: dict[str, int]) -> tuple[str, ...]:
    made = phrase("preferred_rows", votes=counts["rows_vote"], edits=counts["rows_edit"])
    left_out = [phrase(f"preferred_{name}", count=counts[name]) for name in REASONS if counts[name]]
    return (made, *left_out)
