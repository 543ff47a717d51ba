"""Characters of scripts written without blanks between words, as parts of a regular expression."""

KANA = "぀-ヿ"
KATAKANA = "゠-ヿ"
HAN = "㐀-鿿"
UNSPACED = KANA + HAN
