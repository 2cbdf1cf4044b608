"""What a judgement says, in English and Turkish, as plain names and values for the page and for reports.

Takes the report of a judgement, gives ``Fact`` by ``Fact`` in a language; whoever shows them escapes them. It computes nothing.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ftkit.evaluation.judge.address import host_of
from ftkit.words import Words

ENGLISH: Mapping[str, str] = {
    "judge": "Judge",
    "judge.endpoint": "{model} at {host}",
    "judge.local": "{model} on this machine",
    "coverage": "Coverage",
    "coverage.is": "{share}: {judged} of {rows} rows have a verdict in both orders",
    "coverage.none": "No row was judged",
    "left_out": "Rows without answers, not judged",
    "wins": "Tuned against base",
    "wins.is": "tuned won {tuned}, base won {base}; ties: {tie}; changed with the order: {inconsistent}",
    "rate": "Tuned won, of the decided rows",
    "rate.is": "{value}; 95% interval {low} to {high}; decided rows: {decided}",
    "rate.none": "No row was decided",
    "verdict.better": "The judge prefers the tuned model, and hardly by chance.",
    "verdict.worse": "The judge prefers the base model, and hardly by chance.",
    "verdict.unclear": "So few decided rows cannot tell the judge's preference from chance.",
    "verdict.undecided": "The judge decided no row, so it says nothing about which model is better.",
    "position": "Chose by place",
    "position.is": "{share} of the rows: the first answer {first}×, the second {second}×, whoever gave it; rows: {rows}",
    "position.none": "Unknown: no row has both verdicts",
    "orders": "Agrees with itself",
    "agreement.is": "{share}; kappa {kappa} ({meaning}); rows: {rows}",
    "agreement.no_kappa": "{share}; kappa is undefined where all verdicts are the same; rows: {rows}",
    "meaning.none": "no better than chance",
    "meaning.slight": "slight",
    "meaning.fair": "fair",
    "meaning.moderate": "moderate",
    "meaning.substantial": "substantial",
    "meaning.almost_perfect": "almost perfect",
    "metric": "Agrees with {metric}",
    "failures": "Failed verdicts, not scored",
    "failure.timeout": "no answer in time",
    "failure.server_error": "error of the server (HTTP 5xx)",
    "failure.rate_limited": "too many requests (HTTP 429)",
    "failure.unreachable": "not reached",
    "failure.rejected": "rejected (HTTP 4xx)",
    "failure.malformed": "no readable verdict",
    "failure.refused": "the judge refused",
    "failure.too_long": "row too long, not sent",
    "failure.over_cap": "over the cap on tokens, not sent",
    "tokens": "Tokens",
    "tokens.is": "{prompt} read and {completion} written, as reported for {told} of {calls} calls",
    "tokens.none": "not reported, {calls} calls",
}
TURKISH: Mapping[str, str] = {
    "judge": "Hakem",
    "judge.endpoint": "{model}, {host} adresinde",
    "judge.local": "{model}, bu makinede",
    "coverage": "Kapsam",
    "coverage.is": "{share}: {rows} satırın {judged} tanesinin iki sırada da kararı var",
    "coverage.none": "Hiçbir satıra karar verilmedi",
    "left_out": "Yanıtı olmayan, değerlendirilmeyen satır",
    "wins": "Temele karşı eğitilmiş",
    "wins.is": "eğitilmiş {tuned}, temel {base} kez kazandı; berabere: {tie}; sırayla değişen: {inconsistent}",
    "rate": "Sonuçlanan satırlarda eğitilmişin kazandığı",
    "rate.is": "{value}; %95 aralığı {low} ile {high} arası; sonuçlanan satır: {decided}",
    "rate.none": "Hiçbir satır sonuçlanmadı",
    "verdict.better": "Hakem eğitilmiş modeli yeğliyor; bunun rastlantı olması zor.",
    "verdict.worse": "Hakem temel modeli yeğliyor; bunun rastlantı olması zor.",
    "verdict.unclear": "Sonuçlanan satır az: hakemin tercihi rastlantıdan ayırt edilemiyor.",
    "verdict.undecided": "Hakem hiçbir satırı sonuçlandırmadı; hangi modelin daha iyi olduğunu söylemiyor.",
    "position": "Yere göre seçti",
    "position.is": "satırların {share} kadarı: kimin olursa olsun {first}× ilk, {second}× ikinci yanıt; satır: {rows}",
    "position.none": "Bilinmiyor: iki kararı da olan satır yok",
    "orders": "Kendisiyle uyumu",
    "agreement.is": "{share}; kappa {kappa} ({meaning}); satır: {rows}",
    "agreement.no_kappa": "{share}; bütün kararlar aynı olduğunda kappa tanımsızdır; satır: {rows}",
    "meaning.none": "rastlantıdan iyi değil",
    "meaning.slight": "zayıf",
    "meaning.fair": "biraz",
    "meaning.moderate": "orta",
    "meaning.substantial": "güçlü",
    "meaning.almost_perfect": "neredeyse tam",
    "metric": "{metric} ile uyumu",
    "failures": "Alınamayan kararlar (puanlanmadı)",
    "failure.timeout": "zamanında yanıt gelmedi",
    "failure.server_error": "sunucu hatası (HTTP 5xx)",
    "failure.rate_limited": "çok fazla istek (HTTP 429)",
    "failure.unreachable": "ulaşılamadı",
    "failure.rejected": "geri çevrildi (HTTP 4xx)",
    "failure.malformed": "okunur bir karar yok",
    "failure.refused": "hakem reddetti",
    "failure.too_long": "satır çok uzun, gönderilmedi",
    "failure.over_cap": "jeton sınırını aşıyor, gönderilmedi",
    "tokens": "Jeton",
    "tokens.is": "{calls} çağrının {told} tanesi için bildirilen: {prompt} okundu, {completion} yazıldı",
    "tokens.none": "bildirilmedi, {calls} çağrı",
}


class Fact(NamedTuple):
    """A name and what there is to say of it."""

    name: str
    value: str


def judge_words(language: str) -> Words:
    """The words of a language; English for one that there is none of."""
    return Words("tr", TURKISH) if language == "tr" else Words("en", ENGLISH)


def judged_facts(
    report: Mapping[str, Any], language: str, metrics: Mapping[str, str] | None = None
) -> list[Fact]:
    """All that a report of a judgement says, failures included.

    Args:
        report: ``report.json`` of a judgement, or the report of a ``JudgementView``.
        language: ``en`` or ``tr``.
        metrics: names of metrics for a reader; without one the metric's own name stands.
    """
    told = judge_words(language)
    facts = [
        Fact(told.say("judge"), judge_name(report, told)),
        Fact(told.say("coverage"), coverage(report, told)),
        Fact(told.say("wins"), told.say("wins.is", **report["outcomes"])),
        Fact(told.say("rate"), _rate(report, told)),
        Fact(told.say("position"), _position(report["position"], told)),
    ]
    if report["left_out"]:
        facts.insert(2, Fact(told.say("left_out"), told.number(report["left_out"])))
    agreements = report["agreement"]
    if agreements["orders"]["rows"]:
        facts.append(Fact(told.say("orders"), agreement_text(agreements["orders"], told)))
    facts += [
        Fact(told.say("metric", metric=(metrics or {}).get(name, name)), agreement_text(one, told))
        for name, one in agreements["metrics"].items()
    ]
    if report["failures"]:
        facts.append(Fact(told.say("failures"), failures_text(report["failures"], told)))
    facts.append(Fact(told.say("tokens"), _tokens(report["tokens"], told)))
    return facts


def verdict_sentence(report: Mapping[str, Any], language: str) -> str:
    """The judgement in one sentence."""
    return judge_words(language).say(f"verdict.{report['verdict']}")


def judge_name(report: Mapping[str, Any], told: Words) -> str:
    """Who judged, and where."""
    endpoint = report["judge"]["endpoint"]
    if not endpoint:
        return told.say("judge.local", model=report["judge"]["model"])
    return told.say("judge.endpoint", model=report["judge"]["model"], host=host_of(endpoint))


def coverage(report: Mapping[str, Any], told: Words) -> str:
    """How many rows have a verdict."""
    if not report["judged"]:
        return told.say("coverage.none")
    return told.say(
        "coverage.is",
        share=told.percent(report["coverage"], 0),
        judged=told.number(report["judged"]),
        rows=told.number(report["rows"]),
    )


def failures_text(failures: Mapping[str, int], told: Words) -> str:
    """Failed verdicts by kind, in one line."""
    return "; ".join(f"{told.number(count)} × {failure_text(kind, told)}" for kind, count in failures.items())


def failure_text(kind: str, told: Words) -> str:
    """A kind of failure in words."""
    return told.say(f"failure.{kind}")


def agreement_text(one: Mapping[str, Any], told: Words) -> str:
    """How far two raters agree."""
    share, rows = told.percent(one["share"], 0), told.number(one["rows"])
    if one["kappa"] is None:
        return told.say("agreement.no_kappa", share=share, rows=rows)
    meaning = told.say(f"meaning.{one['meaning']}")
    return told.say(
        "agreement.is", share=share, rows=rows, kappa=told.number(one["kappa"], 2), meaning=meaning
    )


def _rate(report: Mapping[str, Any], told: Words) -> str:
    rate = report["win_rate"]
    if rate is None:
        return told.say("rate.none")
    shares = {name: told.percent(rate[name]) for name in ("value", "low", "high")}
    return told.say("rate.is", decided=told.number(report["decided"]), **shares)


def _position(position: Mapping[str, Any], told: Words) -> str:
    if position["rate"] is None:
        return told.say("position.none")
    return told.say(
        "position.is",
        share=told.percent(position["rate"], 0),
        **{name: told.number(position[name]) for name in ("rows", "first", "second")},
    )


def _tokens(tokens: Mapping[str, int], told: Words) -> str:
    numbers = {name: told.number(tokens[name]) for name in ("prompt", "completion", "calls")}
    if not tokens["calls_with_usage"]:
        return told.say("tokens.none", calls=numbers["calls"])
    return told.say("tokens.is", told=told.number(tokens["calls_with_usage"]), **numbers)
