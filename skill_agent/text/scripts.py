"""Characters of scripts written without blanks, and words written short, as parts of a pattern."""

KANA = "぀-ヿ"
KATAKANA = "゠-ヿ"
HAN = "㐀-鿿"
UNSPACED = KANA + HAN

SHORTENED = (
    r"(?<!\b\w\.)(?<!\b(?:[MDSП]r|Ms|St|vs|ca|Nr|Fr|Hr|ул|им|гр|св)\.)"
    r"(?<!\b(?:Mrs|Sra|Dra|bzw|usw|Mme|Ing|тов)\.)(?<!\b(?:Prof|Mlle|Dott|Dipl|проф)\.)"
)
"""Stands in a pattern behind a full stop: that stop ends no word that is written short, as titles
are ("Dr. Okafor"), nor a letter that stands alone."""
