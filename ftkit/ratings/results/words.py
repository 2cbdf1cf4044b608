"""What results say, in English and Turkish: sentences for the page, for reports and for the command line.

Takes the dict of ``summary.py`` with ``labels`` (what a person calls each side), gives plain text; whoever shows it escapes it.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from ftkit.words import Words

Tone = Literal["good", "info", "warn"]
ENGLISH: Mapping[str, str] = {
    "pair": "{first} wins {share} of {ratings} comparisons with {second}",
    "interval": "95% interval {low} to {high}",
    "verdict.first": "better",
    "verdict.second": "worse",
    "verdict.undecided": "not decided yet. About {more} more ratings give an even chance to know",
    "verdict.close": "too close to call. More ratings would hardly decide it",
    "verdict.early": "not decided yet. So few ratings do not even tell how many more it takes",
    "verdict.few": "All of it is one prompt, which says nothing about others. Rate answers to more prompts",
    "ranking": "{side} leads: against an average one of the others it wins {share}",
    "mean": "{side} gets {value} of {points} points for “{criterion}” on average, from {ratings} ratings",
    "passed": "{side} is good enough in {share} of {ratings} ratings",
    "none": "Nobody has rated yet.",
    "counts": "{first} won {first_wins}, {second} won {second_wins}; ties: {ties}; both bad: {both_bad}. The last two count half for each.",
    "counts.without": "{first} won {first_wins}, {second} won {second_wins}; ties: {ties}, which count half for each.",
    "question.preferred": "Which answer is better",
    "question.passed": "Good enough or not",
    "question.ranks": "Ranks",
    "trust.reliable": "alpha {alpha}: raters agree well enough to rely on it",
    "trust.tentative": "alpha {alpha}: raters agree well enough for a first conclusion, no more",
    "trust.unreliable": "alpha {alpha}: raters see it differently. Clearer guidelines or more raters for each item help",
    "trust.undefined": "alpha is undefined, as all say the same",
    "agree.share": "two raters say the same in {share} of cases, on {units} units",
    "agree.none": "unknown: nothing was rated by two raters yet",
    "kappa.fleiss": "Fleiss' kappa {kappa} ({meaning})",
    "kappa.cohen": "Cohen's kappa {kappa} on average over {pairs} pairs of raters",
    "meaning.none": "no better than chance",
    "meaning.slight": "slight",
    "meaning.fair": "fair",
    "meaning.moderate": "moderate",
    "meaning.substantial": "substantial",
    "meaning.almost_perfect": "almost perfect",
    "meaning.undefined": "undefined",
    "position.biased": "What stood first was chosen in {share} of {ratings} ratings; chance has it at {expected} ({p}). Raters lean by place; "
    "as places are drawn anew for each rating, this adds noise and favours no model.",
    "position.even": "What stood first was chosen in {share} of {ratings} ratings; chance has it at {expected} ({p}). Place did not decide.",
    "position.none": "Unknown: no rating names one best answer.",
    "left_out.gold": "ratings of items with a known right choice, which test the raters",
    "left_out.incomplete": "incomplete ratings",
    "left_out.revoked": "ratings of raters whose invite was revoked",
    "left_out.low_gold": "ratings of raters who got too few known items right",
    "left_out.flagged": "ratings that the rater flagged as having a problem",
    "left_out.line": "{count} {what}",
    "left_out.nothing": "Nothing is left out.",
    "open_items": "Items with fewer ratings than wanted: {count}. They count with what they have.",
    "compared.judge": "The judge {name}",
    "compared.metric": "{name}",
    "agreement.is": "{share}; kappa {kappa} ({meaning}); rows: {rows}",
    "agreement.no_kappa": "{share}; kappa is undefined where all say the same; rows: {rows}",
}
TURKISH: Mapping[str, str] = {
    "pair": "{first}, {second} ile {ratings} karşılaştırmada {share} oranında kazanıyor",
    "interval": "%95 aralığı {low} ile {high} arası",
    "verdict.first": "daha iyi",
    "verdict.second": "daha kötü",
    "verdict.undecided": "henüz belli değil. Yaklaşık {more} puanlama daha, sonucu yarı yarıya olasılıkla belli eder",
    "verdict.close": "arada seçilebilir bir fark yok. Daha çok puan da bunu pek değiştirmez",
    "verdict.early": "henüz belli değil. Bu kadar az puan, kaç tane daha gerektiğini bile söylemez",
    "verdict.few": "Hepsi tek bir istem; bu, başkaları hakkında bir şey söylemez. Başka istemlerin yanıtlarını da değerlendirin",
    "ranking": "{side} önde: ötekilerin ortalamasına karşı {share} kazanıyor",
    "mean": "{side}, {ratings} puanlamada “{criterion}” için ortalama {points} üzerinden {value} puan alıyor",
    "passed": "{side}, {ratings} puanlamada {share} oranında yeterli",
    "none": "Henüz kimse puanlama yapmadı.",
    "counts": "{first} {first_wins}, {second} {second_wins} kez kazandı; berabere: {ties}; ikisi de kötü: {both_bad}. Son ikisi her birine yarım sayılır.",
    "counts.without": "{first} {first_wins}, {second} {second_wins} kez kazandı; berabere: {ties}; bunlar her birine yarım sayılır.",
    "question.preferred": "Hangi yanıt daha iyi",
    "question.passed": "Yeterli mi, değil mi",
    "question.ranks": "Sıralar",
    "trust.reliable": "alfa {alpha}: puanlayanlar güvenilecek kadar uyuşuyor",
    "trust.tentative": "alfa {alpha}: puanlayanlar ancak ilk bir sonuca yetecek kadar uyuşuyor",
    "trust.unreliable": "alfa {alpha}: puanlayanlar farklı görüyor. Daha açık yönergeler ya da öğe başına daha çok kişi yardımcı olur",
    "trust.undefined": "hepsi aynı şeyi söylediği için alfa tanımsız",
    "agree.share": "İki kişi {share} oranında aynı şeyi söylüyor; birim: {units}",
    "agree.none": "bilinmiyor: henüz hiçbir şeyi iki kişi puanlamadı",
    "kappa.fleiss": "Fleiss kappa {kappa} ({meaning})",
    "kappa.cohen": "Cohen kappa ortalama {kappa}; çift: {pairs}",
    "meaning.none": "rastlantıdan iyi değil",
    "meaning.slight": "zayıf",
    "meaning.fair": "biraz",
    "meaning.moderate": "orta",
    "meaning.substantial": "güçlü",
    "meaning.almost_perfect": "neredeyse tam",
    "meaning.undefined": "tanımsız",
    "position.biased": "İlk sıradaki, {ratings} puanlamanın {share} kadarında seçildi; rastlantı payı {expected} ({p}). Yer etkili olmuş; yerler "
    "her puanlamada yeniden çekildiği için bu yalnızca gürültü katar, hiçbir modeli kayırmaz.",
    "position.even": "İlk sıradaki, {ratings} puanlamanın {share} kadarında seçildi; rastlantı payı {expected} ({p}). Yer belirleyici olmamış.",
    "position.none": "Bilinmiyor: hiçbir puanlama tek bir en iyi yanıtı göstermiyor.",
    "left_out.gold": "doğru seçimi bilinen, puanlayanları sınayan öğe puanlaması",
    "left_out.incomplete": "eksik puanlama",
    "left_out.revoked": "daveti geri alınanların puanlaması",
    "left_out.low_gold": "bilinen öğelerin çok azını doğru yapanların puanlaması",
    "left_out.flagged": "puanlayanın sorunlu diye işaretlediği puanlama",
    "left_out.line": "{count} {what}",
    "left_out.nothing": "Dışarıda bırakılan yok.",
    "open_items": "İstenenden az puanlaması olan öğe: {count}. Bunlar olduğu kadarıyla sayılır.",
    "compared.judge": "{name} hakemi",
    "compared.metric": "{name}",
    "agreement.is": "{share}; kappa {kappa} ({meaning}); satır: {rows}",
    "agreement.no_kappa": "{share}; herkes aynı şeyi söylediğinde kappa tanımsızdır; satır: {rows}",
}
Results = Mapping[str, Any]
_LEAST_P = 0.001


class RankLine(NamedTuple):
    """A line of a ranking: numbers to draw, and in words."""

    rank: str
    side: str
    chance: float
    low: float | None
    high: float | None
    told: str
    interval: str
    strength: str
    ratings: str


def result_words(language: str) -> Words:
    """The words of a language; English for one that there is none of."""
    return Words("tr", TURKISH) if language == "tr" else Words("en", ENGLISH)


def headline(results: Results, told: Words) -> str:
    """The results in one sentence or two."""
    line, labels = results["headline"], results["labels"]
    kind = line["kind"]
    if kind == "none":
        return told.say("none")
    if kind == "pair":
        return pair_sentence(line, labels, told)
    if kind == "ranking":
        said = told.say("ranking", side=labels[line["side"]], share=told.percent(line["chance"], 0))
        return _with_interval(said, line["chance_low"], line["chance_high"], told, share=True)
    facts = {"side": labels[line["side"]], "ratings": told.number(line["ratings"])}
    if kind == "passed":
        said = told.say("passed", share=told.percent(line["value"], 0), **facts)
    else:
        points = {"value": told.number(line["value"], 2), "points": told.number(results["points"])}
        said = told.say("mean", criterion=line["criterion"], **points, **facts)
    return _with_interval(said, line["low"], line["high"], told, share=kind == "passed")


def tone(results: Results) -> Tone:
    """Whether the headline has decided something."""
    verdict = results["headline"].get("verdict")
    return "good" if verdict in ("first", "second") else "warn" if verdict == "few" else "info"


def pair_sentence(pair: Mapping[str, Any], labels: Mapping[str, str], told: Words) -> str:
    """How often the one side wins, and whether that decides it."""
    said = told.say(
        "pair",
        first=labels[pair["first"]],
        second=labels[pair["second"]],
        share=told.percent(pair["value"], 0),
        ratings=told.number(pair["ratings"]),
    )
    verdict = pair_verdict(pair, told)
    if pair["low"] is None:
        return f"{said}. {verdict}."
    return _with_interval(said, pair["low"], pair["high"], told, share=True)[:-1] + f": {verdict}."


def pair_verdict(pair: Mapping[str, Any], told: Words) -> str:
    """What a pair has decided, in words."""
    more = told.number(pair["more"] or 0)
    return told.say(f"verdict.{pair['verdict']}", more=more)


def counts(pair: Mapping[str, Any], protocol: str, labels: Mapping[str, str], told: Words) -> str:
    """Wins, ties and both bad."""
    numbers = {name: told.number(pair[name]) for name in ("first_wins", "second_wins", "ties", "both_bad")}
    names = {name: labels[pair[name]] for name in ("first", "second")}
    return told.say("counts" if protocol == "pairs" else "counts.without", **numbers, **names)


def rank_lines(group: Sequence[Mapping[str, Any]], labels: Mapping[str, str], told: Words) -> list[RankLine]:
    """A ranking, best first; a rank that is not sure has the range that holds it."""
    lines = []
    for one in group:
        ends = dict.fromkeys((one["rank_low"], one["rank_high"]))
        lines.append(
            RankLine(
                rank="–".join(map(str, ends)),
                side=labels[one["side"]],
                chance=one["chance"],
                low=one["chance_low"],
                high=one["chance_high"],
                told=told.percent(one["chance"], 0),
                interval=span(one["chance_low"], one["chance_high"], told, share=True),
                strength=told.number(one["strength"], 2, sign=True),
                ratings=told.number(one["ratings"]),
            )
        )
    return lines


def question(one: Mapping[str, Any], told: Words) -> str:
    """What raters were asked: a criterion of the study's own stands as it is."""
    key = f"question.{one['question']}"
    fixed = one["level"] == "nominal" or one["question"] == "ranks"
    return told.say(key) if fixed and key in told.sentences else str(one["question"])


def accord_sentence(one: Mapping[str, Any], told: Words) -> str:
    """How far raters agree on a question, and what that means."""
    if not one["units"]:
        return _begun(_sentence(told.say("agree.none")))
    alpha = told.number(one["alpha"], 2) if one["alpha"] is not None else ""
    parts = [told.say(f"trust.{one['trust']}", alpha=alpha)]
    parts.append(
        told.say("agree.share", share=told.percent(one["share"], 0), units=told.number(one["units"]))
    )
    kappas = []
    if one["fleiss"] is not None:
        meaning = told.say(f"meaning.{one['meaning']}")
        kappas.append(told.say("kappa.fleiss", kappa=told.number(one["fleiss"], 2), meaning=meaning))
    if one["cohen"] is not None:
        pairs = told.number(one["pairs"])
        kappas.append(told.say("kappa.cohen", kappa=told.number(one["cohen"], 2), pairs=pairs))
    parts += ["; ".join(kappas)] if kappas else []
    return " ".join(_begun(_sentence(part)) for part in parts)


def position_sentence(position: Mapping[str, Any] | None, told: Words) -> str:
    """Whether place decided."""
    if position is None:
        return told.say("position.none")
    return told.say(
        "position.biased" if position["biased"] else "position.even",
        share=told.percent(position["first"] / position["ratings"], 0),
        ratings=told.number(position["ratings"]),
        expected=told.percent(position["expected"], 0),
        p=_p(position["p"], told),
    )


def left_out_lines(results: Results, told: Words) -> list[str]:
    """What does not count and why, and what counts although it is not whole."""
    lines = [
        told.say("left_out.line", count=told.number(count), what=told.say(f"left_out.{reason}"))
        for reason, count in results["left_out"].items()
        if count
    ]
    lines = lines or [told.say("left_out.nothing")]
    if results["open_items"]:
        lines.append(told.say("open_items", count=told.number(results["open_items"])))
    return lines


def compared_lines(
    results: Results, told: Words, metrics: Mapping[str, str] | None = None
) -> Iterator[tuple[str, str]]:
    """With whom people agree how far: the judge, and each metric; nothing where neither is known."""
    for one in results.get("compared") or ():
        name = one["name"] if one["kind"] == "judge" else (metrics or {}).get(one["name"], one["name"])
        share, rows = told.percent(one["share"], 0), told.number(one["rows"])
        if one["kappa"] is None:
            said = told.say("agreement.no_kappa", share=share, rows=rows)
        else:
            meaning, kappa = told.say(f"meaning.{one['meaning']}"), told.number(one["kappa"], 2)
            said = told.say("agreement.is", share=share, rows=rows, kappa=kappa, meaning=meaning)
        yield told.say(f"compared.{one['kind']}", name=name), said


def span(low: float | None, high: float | None, told: Words, share: bool) -> str:
    """An interval alone; a dash where there is none."""
    if low is None or high is None:
        return "–"
    ends = [told.percent(end, 0) if share else told.number(end, 2) for end in (low, high)]
    return " … ".join(ends)


def _p(value: float, told: Words) -> str:
    return f"p < {told.number(_LEAST_P, 3)}" if value < _LEAST_P else f"p = {told.number(value, 3)}"


def _with_interval(said: str, low: float | None, high: float | None, told: Words, share: bool) -> str:
    if low is None or high is None:
        return _sentence(said)
    ends = [told.percent(end, 0) if share else told.number(end, 2) for end in (low, high)]
    return _sentence(f"{said}, {told.say('interval', low=ends[0], high=ends[1])}")


def _sentence(text: str) -> str:
    """With its full stop."""
    return text if text.endswith(".") else f"{text}."


def _begun(text: str) -> str:
    """With a capital; for sentences that do not begin with a name."""
    return text[:1].upper() + text[1:]
