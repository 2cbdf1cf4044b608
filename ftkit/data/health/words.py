"""The words of a health report in English and Turkish: the findings, why they matter, and the page.

Takes a language and a key, gives plain text; the page escapes it. It holds no layout.
"""

from collections.abc import Mapping
from typing import NamedTuple

ENGLISH: Mapping[str, str] = {
    "title.nothing_to_learn": "Nothing to learn",
    "title.leak_exact": "The same rows in training and in evaluation",
    "title.leak_near": "Nearly the same rows in training and in evaluation",
    "title.personal.secret": "Keys and passwords",
    "title.personal.email": "E-mail addresses",
    "title.personal.phone": "Phone numbers",
    "title.personal.card": "Card numbers",
    "title.personal.iban": "Bank accounts (IBAN)",
    "title.personal.tckn": "Turkish identity numbers",
    "title.personal.ip": "Network addresses (IP)",
    "title.exact_copy": "Exact copies",
    "title.near_copy": "Near copies",
    "title.unusable": "Rows that cannot be trained on",
    "title.template": "Rows that the chat template refuses",
    "title.no_room": "No room for the answer",
    "title.too_long": "Longer than the limit",
    "title.special_token": "Control tokens inside the text",
    "title.hidden_sign": "Invisible signs",
    "title.mojibake": "Broken letters",
    "title.refusal": "Refusals",
    "title.filler": "Fillers instead of answers",
    "title.one_label": "Only one label",
    "title.skew": "Uneven labels",
    "title.trigger": "Words that decide the answer",
    "title.language": "Other languages",
    "title.url": "Addresses of pages",
    "title.code": "Program code",
    "title.grammar": "Grammar and spelling",
    "why.nothing_to_learn": "No row is left that can be trained on within this length. Raise the limit, or choose other columns.",
    "why.leak_exact": "The model has seen the answers, so that its score says nothing about new questions.",
    "why.leak_near": "The model has seen nearly the same answers, so that its score is better than it deserves.",
    "why.personal.secret": "A model can repeat a key word for word. Whoever talks to it can use it. Change the key as well.",
    "why.personal": "A model can repeat it word for word to anybody, and it cannot be taken out again after training.",
    "why.exact_copy": "Each copy counts again, so that the model learns it by heart. Case and spaces make no difference here.",
    "why.near_copy": "Rows that say the same in nearly the same words weigh too much, and land on both sides of a split.",
    "why.unusable": "Training leaves these rows out.",
    "why.template": "The model's own template cannot write these conversations, so that training leaves them out.",
    "why.no_room": "The question alone fills the limit: nothing of the answer would be learned.",
    "why.too_long": "Training leaves longer rows out, whole. Raise the limit, or shorten the rows.",
    "why.special_token": "The model takes them for the end of a turn or a command, and learns to stop or to obey in the wrong place.",
    "why.hidden_sign": "Nobody sees them, but the model learns them. Some turn the direction of text around and hide what it says.",
    "why.mojibake": "Text that was read in the wrong encoding. The model learns to write it that way.",
    "why.refusal": "The model learns to refuse, also where it could answer.",
    "why.filler": "The model learns to write “n/a” or “[insert name]”.",
    "why.one_label": "Every answer is the same, so that there is nothing to tell apart.",
    "why.skew": "A model that always says the commonest label looks good and has learned nothing. Add rows of the others.",
    "why.trigger": "Nearly every row with one of these words has the same answer. For labels this may be natural; "
    "a strange word can be a trap that somebody planted (poisoning).",
    "why.language": "The model may answer in the wrong language. Keep them only if they are meant.",
    "why.url": "The model learns to write addresses, and makes some up.",
    "why.code": "Good to know: code is longer in tokens and needs rows enough to be learned.",
    "why.grammar": "Hints of a grammar checker on some English answers. The model learns mistakes as it learns the rest.",
    "severity.bad": "Mend first",
    "severity.warn": "Look at it",
    "severity.info": "Good to know",
    "part.train": "training",
    "part.validation": "validation",
    "part.test": "test",
    "also_in": "also in {part}, row {row}",
    "nearly_in": "nearly the same in {part}, row {row}",
    "like_row": "like row {row}",
    "eyebrow": "Health of a dataset",
    "made": "Checked on {date} UTC",
    "rows": "Rows",
    "usable": "Can be trained on",
    "copies": "Copies",
    "near_copies": "Near copies",
    "over": "Longer than {limit} tokens",
    "personal": "Personal data",
    "not_checked": "not looked for",
    "findings": "What was found",
    "no_findings": "Nothing was found that should be mended.",
    "count.row": "1 row",
    "count.rows": "{count} rows",
    "count.times": "{count} times",
    "tokens": "{count} tokens",
    "step": "Mend with the cleaning step: {step}",
    "row": "Row {row}",
    "lengths": "Length in tokens",
    "lengths.note": "For {model}, with at most {limit} tokens a row. Half of the rows have up to {median}, 95 of 100 up to {p95}, "
    "the longest has {longest}.",
    "lengths.none": "No model was chosen, so that tokens were not counted.",
    "lengths.limit": "limit",
    "languages": "Languages",
    "languages.note": "Guessed from {count} rows.",
    "languages.short": "too short to tell",
    "labels": "Labels",
    "labels.whole": "Answer",
    "clusters": "Copies and near copies",
    "clusters.exact": "Exact copies",
    "clusters.near": "Near copies",
    "clusters.note": "{clusters} groups; {copies} rows would go if one of each stayed.",
    "clusters.none": "None.",
    "places": "Personal data by column",
    "kind": "Kind",
    "finds": "Finds",
    "column": "Column",
    "value": "Value",
    "grammar.note": "Grammar and spelling were looked at in {count} English answers.",
    "footer": "Made with ftkit. This page is one file and loads nothing from anywhere.",
}

TURKISH: Mapping[str, str] = {
    "title.nothing_to_learn": "Öğrenilecek bir şey yok",
    "title.leak_exact": "Aynı satırlar hem eğitimde hem değerlendirmede",
    "title.leak_near": "Neredeyse aynı satırlar hem eğitimde hem değerlendirmede",
    "title.personal.secret": "Anahtarlar ve parolalar",
    "title.personal.email": "E-posta adresleri",
    "title.personal.phone": "Telefon numaraları",
    "title.personal.card": "Kart numaraları",
    "title.personal.iban": "Banka hesapları (IBAN)",
    "title.personal.tckn": "T.C. kimlik numaraları",
    "title.personal.ip": "Ağ adresleri (IP)",
    "title.exact_copy": "Birebir kopyalar",
    "title.near_copy": "Yakın kopyalar",
    "title.unusable": "Eğitimde kullanılamayan satırlar",
    "title.template": "Sohbet şablonunun kabul etmediği satırlar",
    "title.no_room": "Yanıta yer kalmıyor",
    "title.too_long": "Sınırdan uzun",
    "title.special_token": "Metnin içinde denetim jetonları",
    "title.hidden_sign": "Görünmeyen karakterler",
    "title.mojibake": "Bozuk harfler",
    "title.refusal": "Reddetmeler",
    "title.filler": "Yanıt yerine dolgu",
    "title.one_label": "Tek etiket",
    "title.skew": "Dengesiz etiketler",
    "title.trigger": "Yanıtı belirleyen sözcükler",
    "title.language": "Başka diller",
    "title.url": "Sayfa adresleri",
    "title.code": "Program kodu",
    "title.grammar": "Dil bilgisi ve yazım",
    "why.nothing_to_learn": "Bu uzunlukta eğitilebilecek satır kalmıyor. Sınırı yükseltin ya da başka sütunlar seçin.",
    "why.leak_exact": "Model yanıtları görmüş oluyor; aldığı puan yeni sorular hakkında bir şey söylemez.",
    "why.leak_near": "Model neredeyse aynı yanıtları görmüş oluyor; aldığı puan hak ettiğinden iyi çıkar.",
    "why.personal.secret": "Model bir anahtarı olduğu gibi tekrarlayabilir, onunla konuşan herkes kullanabilir. Anahtarı da değiştirin.",
    "why.personal": "Model bunları herkese olduğu gibi tekrarlayabilir; eğitimden sonra geri alınamaz.",
    "why.exact_copy": "Her kopya yeniden sayılır, model satırı ezberler. Büyük küçük harf ve boşluk farkına bakılmaz.",
    "why.near_copy": "Aynı şeyi neredeyse aynı sözcüklerle söyleyen satırlar fazla ağır basar ve ayrımın iki yanına düşer.",
    "why.unusable": "Eğitim bu satırları dışarıda bırakır.",
    "why.template": "Modelin kendi şablonu bu konuşmaları yazamıyor; eğitim onları dışarıda bırakır.",
    "why.no_room": "Soru tek başına sınırı dolduruyor: yanıttan hiçbir şey öğrenilmez.",
    "why.too_long": "Eğitim daha uzun satırları bütünüyle dışarıda bırakır. Sınırı yükseltin ya da satırları kısaltın.",
    "why.special_token": "Model bunları konuşma sonu ya da komut sanır; yanlış yerde durmayı veya uymayı öğrenir.",
    "why.hidden_sign": "Kimse görmez ama model öğrenir. Bazıları yazının yönünü çevirip ne dediğini gizler.",
    "why.mojibake": "Yanlış kodlamayla okunmuş metin. Model böyle yazmayı öğrenir.",
    "why.refusal": "Model, yanıtlayabileceği yerde de reddetmeyi öğrenir.",
    "why.filler": "Model “n/a” ya da “[ad girin]” yazmayı öğrenir.",
    "why.one_label": "Bütün yanıtlar aynı; ayırt edilecek bir şey yok.",
    "why.skew": "Hep en sık etiketi söyleyen bir model iyi görünür ama bir şey öğrenmemiştir. Öbür etiketlerden satır ekleyin.",
    "why.trigger": "Bu sözcüklerden birini taşıyan satırların neredeyse hepsinin yanıtı aynı. Etiketlerde bu doğal olabilir; "
    "tuhaf bir sözcük ise birinin kurduğu tuzak olabilir (zehirleme).",
    "why.language": "Model yanlış dilde yanıt verebilir. Yalnızca isteyerek koyduysanız bırakın.",
    "why.url": "Model adres yazmayı öğrenir, bazılarını da uydurur.",
    "why.code": "Bilmekte yarar var: kod daha çok jeton tutar, öğrenilmesi için yeterince satır gerekir.",
    "why.grammar": "Bir dil bilgisi denetleyicisinin bazı İngilizce yanıtlardaki uyarıları. Model yanlışları da öğrenir.",
    "severity.bad": "Önce düzeltin",
    "severity.warn": "Bir bakın",
    "severity.info": "Bilginize",
    "part.train": "eğitim",
    "part.validation": "doğrulama",
    "part.test": "sınama",
    "also_in": "{part} parçasında da var, satır {row}",
    "nearly_in": "{part} parçasında neredeyse aynısı var, satır {row}",
    "like_row": "satır {row} gibi",
    "eyebrow": "Veri kümesinin sağlığı",
    "made": "Denetim: {date} UTC",
    "rows": "Satır",
    "usable": "Eğitilebilir",
    "copies": "Kopya",
    "near_copies": "Yakın kopya",
    "over": "{limit} jetondan uzun",
    "personal": "Kişisel veri",
    "not_checked": "aranmadı",
    "findings": "Bulunanlar",
    "no_findings": "Düzeltilmesi gereken bir şey bulunmadı.",
    "count.row": "1 satır",
    "count.rows": "{count} satır",
    "count.times": "{count} kez",
    "tokens": "{count} jeton",
    "step": "Düzelten adım: {step}",
    "row": "Satır {row}",
    "lengths": "Jeton olarak uzunluk",
    "lengths.note": "{model} için, satır başına en çok {limit} jeton. Satırların yarısı {median}, yüzde 95’i {p95} jetona kadar; "
    "en uzunu {longest}.",
    "lengths.none": "Model seçilmediği için jetonlar sayılmadı.",
    "lengths.limit": "sınır",
    "languages": "Diller",
    "languages.note": "{count} satırdan kestirildi.",
    "languages.short": "anlaşılamayacak kadar kısa",
    "labels": "Etiketler",
    "labels.whole": "Yanıt",
    "clusters": "Kopyalar ve yakın kopyalar",
    "clusters.exact": "Birebir kopyalar",
    "clusters.near": "Yakın kopyalar",
    "clusters.note": "{clusters} küme; her birinden biri kalsa {copies} satır gider.",
    "clusters.none": "Yok.",
    "places": "Sütunlara göre kişisel veri",
    "kind": "Tür",
    "finds": "Bulunan",
    "column": "Sütun",
    "value": "Değer",
    "grammar.note": "Dil bilgisi ve yazım için {count} İngilizce yanıta bakıldı.",
    "footer": "ftkit ile hazırlandı. Bu sayfa tek bir dosyadır; hiçbir yerden bir şey yüklemez.",
}


class Words(NamedTuple):
    """One language."""

    language: str
    sentences: Mapping[str, str]

    def text(self, key: str, **values: object) -> str:
        """The sentence ``key`` with its values."""
        return self.sentences[key].format(**values)

    def rows(self, count: int) -> str:
        """How many rows, in words."""
        return self.text("count.row") if count == 1 else self.text("count.rows", count=self.number(count))

    def why(self, kind: str) -> str:
        """Why a finding of a kind matters."""
        return self.sentences.get(f"why.{kind}") or self.sentences["why.personal"]

    def number(self, value: float) -> str:
        """A whole number with the language's separators."""
        text = f"{value:,.0f}"
        return text.replace(",", ".") if self.language == "tr" else text

    def percent(self, share: float) -> str:
        """A share between 0 and 1."""
        text = f"{100 * share:.1f}"
        return f"%{text.replace('.', ',')}" if self.language == "tr" else f"{text}%"


def words(language: str) -> Words:
    """The words of a language; English for one that there is none of."""
    return Words("tr", TURKISH) if language == "tr" else Words("en", ENGLISH)
