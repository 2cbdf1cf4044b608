"""The words of the report page, in English and Turkish, and how each language writes numbers.

Takes a language and a key, gives plain text; the template escapes it. It holds no layout.
"""

from collections.abc import Mapping
from typing import NamedTuple

from ftkit.evaluation.report import metric_words

ENGLISH: Mapping[str, str] = {
    **metric_words.ENGLISH,
    "eyebrow": "Fine-tuning report",
    "subtitle": "{model}, taught with {rows} rows of {dataset}",
    "made": "Made on {date} UTC",
    "short": "In short",
    "short.note": "Base and tuned model answered the same {rows} rows, which the training never saw.",
    "short.note_seen": "Base and tuned model answered the same {rows} rows of the {part} part. The training used this "
    "part, so new rows may go worse.",
    "base": "Base",
    "tuned": "Tuned",
    "reference": "Reference",
    "no_evaluation": "The run has not been evaluated yet. Evaluate it on the Evaluate page or with: "
    "ftkit evaluate {run}",
    "what": "What was trained on what",
    "what.model": "Base model",
    "what.parameters": "{count} million parameters",
    "what.license": "License {license}",
    "what.dataset": "Dataset",
    "what.rows": "{count} rows",
    "what.split": "Split",
    "what.sizes": "{train} to train, {validation} to validate, {test} to test",
    "what.leaks": "Rows in more than one part: {leaks}",
    "what.recipe": "Recipe",
    "what.run": "Run",
    "what.seed": "Seed {seed}",
    "what.time": "Training time",
    "what.speed": "{count} tokens per second",
    "what.memory": "Memory at most",
    "what.steps": "Steps",
    "what.best_step": "Best at step {step}, which is the one kept",
    "what.versions": "Libraries",
    "what.hash": "Fingerprint of the data",
    "curve": "Loss while training",
    "curve.note": "How far the model is from the reference answers; lower is better. The validation rows are not "
    "trained on: when their line rises again, the model has begun to memorise.",
    "curve.none": "No loss was recorded.",
    "curve.train": "training",
    "curve.validation": "validation",
    "curve.step": "step",
    "curve.loss": "loss",
    "curve.alt": "Loss over {steps} steps. Training: from {first} to {last}. Lowest validation loss: {best}.",
    "curve.alt_short": "Loss over {steps} steps. Training: from {first} to {last}.",
    "metrics": "Base and tuned",
    "metrics.note": "The difference is tuned minus base on the same rows. The interval holds the true difference in 95 "
    "of 100 such evaluations. p says how often chance alone would give a difference this large, adjusted (Holm) for "
    "looking at all these measures at once; the verdict goes by it. The interval is that of each measure alone. “About so "
    "many more rows” means: if new rows show the same difference.",
    "metrics.task": "Measured as: {task}. Every number has an exact definition:",
    "metrics.metric": "Measure",
    "metrics.difference": "Difference",
    "metrics.interval": "95% interval",
    "metrics.p": "p",
    "points": "{value} points",
    "fields": "Value by value",
    "fields.whole": "The whole answer",
    "fields.precision": "Tuned precision",
    "fields.recall": "Tuned recall",
    "fields.value": "Value",
    "fields.rows": "Rows",
    "fields.base_right": "Base right",
    "fields.tuned_right": "Tuned right",
    "fields.base_f1": "Base F1",
    "fields.tuned_f1": "Tuned F1",
    "fields.confusion": "What the tuned model answered (columns) for each reference (rows)",
    "fields.other": "other",
    "fields.other_note": "“other” counts answers without this field, and values that no reference has.",
    "examples": "Examples",
    "examples.note": "{count} of {rows} rows, evenly spaced over the part; nobody picked them.",
    "examples.system": "Every prompt begins with this instruction",
    "examples.prompt": "Prompt",
    "examples.row": "Row {row}",
    "examples.right": "right",
    "examples.wrong": "differs",
    "examples.cut": "cut at {tokens} tokens",
    "examples.empty": "(empty answer)",
    "left_out": "What is not in these numbers",
    "left_out.none": "Nothing was left out.",
    "left_out.train": "Training rows left out: {count}.",
    "left_out.rows": "Evaluation rows left out: {count}.",
    "left_out.reason": "{count} × {reason}",
    "left_out.cut": "Answers cut at the limit of {limit} tokens: base {base}, tuned {tuned}. They count as they stand.",
    "left_out.metric": "Not measured: {metric} ({reason}).",
    "left_out.not_scored": "{metric}: {count} rows are not scored, as the pattern took too long on an answer.",
    "skipped.no_json_references": "no reference is a JSON object",
    "skipped.check_out_of_time": "the pattern took too long",
    "skipped.no_prompts": "the rows are plain text without a prompt and an answer",
    "settings": "Settings",
    "settings.training": "Training",
    "settings.evaluation": "Evaluation",
    "lineage": "Where it comes from",
    "kind.upload": "Upload",
    "kind.dataset": "Dataset",
    "kind.split": "Split",
    "kind.model": "Model",
    "kind.run": "Run",
    "kind.evaluation": "Evaluation",
    "part.train": "training",
    "part.validation": "validation",
    "part.test": "test",
    "unit.seconds": "{seconds} s",
    "unit.minutes": "{minutes} min {seconds} s",
    "unit.hours": "{hours} h {minutes} min",
    "unit.megabytes": "{count} MB",
    "footer": "Made by ftkit. This page is one file; it loads nothing from anywhere.",
}

TURKISH: Mapping[str, str] = {
    **metric_words.TURKISH,
    "eyebrow": "İnce ayar raporu",
    "subtitle": "{model}, {dataset} veri kümesinin {rows} satırıyla eğitildi",
    "made": "{date} UTC tarihinde hazırlandı",
    "short": "Kısaca",
    "short.note": "Temel ve eğitilmiş model, eğitimde hiç görülmemiş aynı {rows} satırı yanıtladı.",
    "short.note_seen": "Temel ve eğitilmiş model, {part} bölümünün aynı {rows} satırını yanıtladı. Bu bölüm eğitimde "
    "kullanıldı; yeni satırlarda sonuç daha kötü olabilir.",
    "base": "Temel",
    "tuned": "Eğitilmiş",
    "reference": "Referans",
    "no_evaluation": "Bu koşu henüz değerlendirilmedi. Değerlendirme sayfasını ya da şu komutu kullanın: "
    "ftkit evaluate {run}",
    "what": "Ne, neyle eğitildi",
    "what.model": "Temel model",
    "what.parameters": "{count} milyon parametre",
    "what.license": "Lisans: {license}",
    "what.dataset": "Veri kümesi",
    "what.rows": "{count} satır",
    "what.split": "Ayrım",
    "what.sizes": "{train} eğitim, {validation} doğrulama, {test} sınama satırı",
    "what.leaks": "Birden fazla bölümde bulunan satır: {leaks}",
    "what.recipe": "Tarif",
    "what.run": "Koşu",
    "what.seed": "Tohum: {seed}",
    "what.time": "Eğitim süresi",
    "what.speed": "Saniyede {count} jeton",
    "what.memory": "En yüksek bellek",
    "what.steps": "Adım",
    "what.best_step": "En iyisi {step}. adım; saklanan da odur",
    "what.versions": "Kütüphaneler",
    "what.hash": "Verinin parmak izi",
    "curve": "Eğitim boyunca kayıp",
    "curve.note": "Modelin referans yanıtlardan uzaklığı; düşük olan iyidir. Doğrulama satırlarıyla eğitim yapılmaz: "
    "onların çizgisi yeniden yükseliyorsa model ezberlemeye başlamıştır.",
    "curve.none": "Kayıp kaydedilmedi.",
    "curve.train": "eğitim",
    "curve.validation": "doğrulama",
    "curve.step": "adım",
    "curve.loss": "kayıp",
    "curve.alt": "{steps} adım boyunca kayıp. Eğitim: {first} değerinden {last} değerine. En düşük doğrulama kaybı: "
    "{best}.",
    "curve.alt_short": "{steps} adım boyunca kayıp. Eğitim: {first} değerinden {last} değerine.",
    "metrics": "Temel ve eğitilmiş",
    "metrics.note": "Fark, aynı satırlarda eğitilmiş eksi temeldir. Aralık, böyle 100 değerlendirmenin 95'inde gerçek "
    "farkı içerir. p, bu büyüklükte bir farkın yalnızca şansla ne sıklıkta çıkacağını söyler ve bütün bu ölçütlere birlikte "
    "bakıldığı için düzeltilmiştir (Holm); karar ona göre verilir. Aralık, tek başına her ölçütün aralığıdır. “Yaklaşık şu "
    "kadar satır daha”, yeni satırlar aynı farkı gösterirse demektir.",
    "metrics.task": "Görev olarak: {task}. Her sayının kesin bir tanımı vardır:",
    "metrics.metric": "Ölçüt",
    "metrics.difference": "Fark",
    "metrics.interval": "%95 aralığı",
    "metrics.p": "p",
    "points": "{value} puan",
    "fields": "Değerlere göre",
    "fields.whole": "Yanıtın tamamı",
    "fields.precision": "Eğitilmiş kesinlik",
    "fields.recall": "Eğitilmiş duyarlık",
    "fields.value": "Değer",
    "fields.rows": "Satır",
    "fields.base_right": "Temel, doğru",
    "fields.tuned_right": "Eğitilmiş, doğru",
    "fields.base_f1": "Temel F1",
    "fields.tuned_f1": "Eğitilmiş F1",
    "fields.confusion": "Eğitilmiş modelin her referansa (satırlar) verdiği yanıtlar (sütunlar)",
    "fields.other": "diğer",
    "fields.other_note": "“diğer”, bu alanı içermeyen yanıtları ve hiçbir referansta bulunmayan değerleri sayar.",
    "examples": "Örnekler",
    "examples.note": "{rows} satırdan {count} tanesi, bölüme eşit aralıklarla dağılmış; elle seçilmedi.",
    "examples.system": "Her istem şu yönergeyle başlar",
    "examples.prompt": "İstem",
    "examples.row": "Satır {row}",
    "examples.right": "doğru",
    "examples.wrong": "farklı",
    "examples.cut": "{tokens} jetonda kesildi",
    "examples.empty": "(boş yanıt)",
    "left_out": "Bu sayılarda neler yok",
    "left_out.none": "Hiçbir şey dışarıda bırakılmadı.",
    "left_out.train": "Dışarıda bırakılan eğitim satırı: {count}.",
    "left_out.rows": "Dışarıda bırakılan değerlendirme satırı: {count}.",
    "left_out.reason": "{count} × {reason}",
    "left_out.cut": "{limit} jeton sınırında kesilen yanıtlar: temel {base}, eğitilmiş {tuned}. Oldukları gibi sayıldılar.",
    "left_out.metric": "Ölçülmedi: {metric} ({reason}).",
    "left_out.not_scored": "{metric}: {count} satır puanlanmadı; desen bir yanıtta çok uzun sürdü.",
    "skipped.no_json_references": "hiçbir referans bir JSON nesnesi değil",
    "skipped.check_out_of_time": "desen çok uzun sürdü",
    "skipped.no_prompts": "satırlar, istem ve yanıt içermeyen düz metin",
    "settings": "Ayarlar",
    "settings.training": "Eğitim",
    "settings.evaluation": "Değerlendirme",
    "lineage": "Nereden geldi",
    "kind.upload": "Yükleme",
    "kind.dataset": "Veri kümesi",
    "kind.split": "Ayrım",
    "kind.model": "Model",
    "kind.run": "Koşu",
    "kind.evaluation": "Değerlendirme",
    "part.train": "eğitim",
    "part.validation": "doğrulama",
    "part.test": "sınama",
    "unit.seconds": "{seconds} sn",
    "unit.minutes": "{minutes} dk {seconds} sn",
    "unit.hours": "{hours} sa {minutes} dk",
    "unit.megabytes": "{count} MB",
    "footer": "ftkit ile hazırlandı. Bu sayfa tek bir dosyadır; hiçbir yerden bir şey yüklemez.",
}


class Words(NamedTuple):
    """One language: its sentences and its way of writing numbers."""

    language: str
    sentences: Mapping[str, str]

    def say(self, key: str, **values: object) -> str:
        """The sentence ``key`` with its values."""
        return self.sentences[key].format(**values)

    def number(self, value: float, digits: int = 0, sign: bool = False) -> str:
        """With the language's separators; a true minus sign."""
        text = f"{value:{'+' if sign else ''},.{digits}f}".replace("-", "−")
        if self.language == "tr":
            text = text.translate(str.maketrans(",.", ".,"))
        return text

    def percent(self, share: float, digits: int = 1) -> str:
        """A share between 0 and 1."""
        text = self.number(100 * share, digits)
        return f"%{text}" if self.language == "tr" else f"{text}%"

    def duration(self, seconds: float) -> str:
        """Seconds as a person says them."""
        minutes, rest = divmod(round(seconds), 60)
        if minutes == 0:
            return self.say("unit.seconds", seconds=rest)
        if minutes < 60:  # noqa: PLR2004 - an hour
            return self.say("unit.minutes", minutes=minutes, seconds=rest)
        return self.say("unit.hours", hours=minutes // 60, minutes=minutes % 60)


def words(language: str) -> Words:
    """The words of a language; English for one that there is none of."""
    return Words("tr", TURKISH) if language == "tr" else Words("en", ENGLISH)
