"""The encoding of a text, found out from the letters of its language."""

import pytest

from seealso.encodings import encoding_of

TEXTS = {
    "Größe, Stühle für den Garten, Käse": ("cp1252", "mac_roman", "cp850"),
    "Chaise pliante très légère, épée, côté, garçon": ("cp1252", "mac_roman", "cp850"),
    "Sillón pequeño, año, niño, ¿qué?, camión": ("cp1252", "mac_roman", "cp850"),
    "Crème brûlée für Genießer und niño, Smörgås": ("cp1252",),
    "Zażółć gęślą jaźń, krzesło ogrodowe, łóżko": ("cp1250", "iso8859_2", "cp852"),
    "Příliš žluťoučký kůň, židle dřevěná": ("cp1250", "iso8859_2", "cp852"),
    "Árvíztűrő tükörfúrógép, bőr cipő": ("cp1250", "iso8859_2"),
    "Scaun de grădină, masă, cărţi": ("cp1250", "iso8859_2"),
    "İstanbul'da şık çanta, gömlek, ağaç": ("cp1254", "iso8859_9"),
    "Sodo kėdė, vaikų knygos, žaislai": ("cp1257",),
    "Стул садовый складной, кровать": ("cp1251", "koi8_r", "cp866", "iso8859_5"),
    "Καρέκλα κήπου, τραπέζι, βιβλίο": ("cp1253", "iso8859_7"),
    "كرسي حديقة قابل للطي": ("cp1256",),
    "เก้าอี้สวน โต๊ะ หนังสือเด็ก": ("cp874",),
    "椅子とテーブル、子供の本、庭の椅子": ("cp932", "euc_jp"),
    "花园折叠椅，儿童图书": ("gb18030",),
    "花園折疊椅，兒童圖書": ("big5",),
    "정원 의자, 어린이 책": ("euc_kr",),
}


@pytest.mark.parametrize(
    ("text", "encoding"), [(text, one) for text, each in TEXTS.items() for one in each]
)
def test_letters_tell_the_encoding(text, encoding):
    written = text.encode(encoding)
    assert written.decode(encoding_of(written)) == text


@pytest.mark.parametrize(
    "text",
    ["24,90 €", "men’s shoes", "Stuhl – neu", "10 µm", "Acme® Pro™", "½ inch", "5° C", "CAFÉ",
     "FRÜHSTÜCK", "GRÖßE", "naïve", "Ø 30 cm", "4 m² Fläche", "à la carte", "1 × 2"],
)  # fmt: skip
def test_few_letters_and_signs_are_those_of_windows(text):
    assert encoding_of(text.encode("cp1252")) == "cp1252"


def test_one_word_of_another_script_among_utf8_changes_nothing():
    assert encoding_of("Größe Łódź Café".encode() + b" th\xe9") == "utf-8"
