"""What each metric means, in one plain line of English and of Spanish, for readers of reports."""

from __future__ import annotations

MEANINGS: dict[str, tuple[str, str]] = {
    "wer": (
        "Words to change, per word of the closest human caption.",
        "Palabras que habría que cambiar, por palabra de la descripción humana más cercana.",
    ),
    "wer_first": (
        "Words to change, per word of the first human caption.",
        "Palabras que habría que cambiar, por palabra de la primera descripción humana.",
    ),
    "mer": (
        "Share of words that are wrong, missing or too many, against the closest human caption.",
        "Proporción de palabras equivocadas, ausentes o sobrantes frente a la descripción humana más cercana.",
    ),
    "wil": (
        "Share of the information in words that is lost, against the closest human caption.",
        "Proporción de la información de las palabras que se pierde frente a la descripción humana más cercana.",
    ),
    "cer": (
        "Letters to change, per letter of the closest human caption.",
        "Letras que habría que cambiar, por letra de la descripción humana más cercana.",
    ),
    "rouge1": (
        "Share of words in common with the best-matching human caption.",
        "Proporción de palabras en común con la descripción humana que mejor coincide.",
    ),
    "rouge2": (
        "Share of word pairs in common with the best-matching human caption.",
        "Proporción de pares de palabras en común con la descripción humana que mejor coincide.",
    ),
    "rougeL": (
        "Share of words in common, in the same order, with the best-matching human caption.",
        "Proporción de palabras en común, en el mismo orden, con la descripción humana que mejor coincide.",
    ),
    "rougeLsum": (
        "As ROUGE-L, for captions of several lines: each line is compared by itself.",
        "Como ROUGE-L, para descripciones de varias líneas: cada línea se compara por separado.",
    ),
    "bleu_1": (
        "Share of the caption's words that people used too.",
        "Proporción de las palabras de la descripción que también usaron las personas.",
    ),
    "bleu_2": (
        "Share of its words and word pairs that people used too.",
        "Proporción de sus palabras y pares de palabras que también usaron las personas.",
    ),
    "bleu_3": (
        "Share of its phrases of up to three words that people used too.",
        "Proporción de sus frases de hasta tres palabras que también usaron las personas.",
    ),
    "bleu_4": (
        "Share of its phrases of up to four words that people used too.",
        "Proporción de sus frases de hasta cuatro palabras que también usaron las personas.",
    ),
    "cider_d": (
        "Agreement with people on the telling words: rare words count more than common ones.",
        "Acuerdo con las personas en las palabras que importan: las raras cuentan más que las corrientes.",
    ),
    "coco_rouge_l": (
        "Words in common, in the same order, as the COCO challenge counts them.",
        "Palabras en común, en el mismo orden, contadas como en el concurso COCO.",
    ),
    "sacrebleu": (
        "Phrases of up to four words that people used too, as translations are scored, from 0 to 100.",
        "Frases de hasta cuatro palabras que también usaron las personas, como en traducción, de 0 a 100.",
    ),
    "chrf": (
        "Runs of up to six letters in common with the best-matching human caption, from 0 to 100.",
        "Grupos de hasta seis letras en común con la descripción humana que mejor coincide, de 0 a 100.",
    ),
    "distinct": (
        "Share of captions that differ: 1 when every picture gets its own, near 0 when all get the same.",
        "Proporción de descripciones distintas: 1 si cada imagen tiene la suya, casi 0 si todas la comparten.",
    ),
    "meteor": (
        "Words in common with people, where word forms, synonyms and paraphrases count too.",
        "Palabras en común con las personas, contando también formas, sinónimos y paráfrasis.",
    ),
    "spice": (
        "Things, their properties and their relations that people named too.",
        "Cosas, sus propiedades y sus relaciones que también nombraron las personas.",
    ),
    "clip_score": (
        "How well the caption fits the picture, to another model's eye; no human caption is needed.",
        "Cuánto encaja la descripción con la imagen a ojos de otro modelo, sin descripciones humanas.",
    ),
    "ref_clip_score": (
        "How well the caption fits both the picture and the closest human caption, to another model's eye.",
        "Cuánto encaja la descripción con la imagen y con la descripción humana más cercana, a ojos de otro modelo.",
    ),
    "sentence_similarity": (
        "How near the caption's meaning is to the closest human caption, whatever its words.",
        "Cuánto se acerca el significado al de la descripción humana más cercana, sean cuales sean las palabras.",
    ),
    "perplexity": (
        "How much the caption surprises a language model, per token: low for fluent language, true or not.",
        "Cuánto sorprende la descripción a un modelo de lengua, por token: poco si es fluida, cierta o no.",
    ),
    "perplexity_per_word": (
        "How much the caption surprises a language model, per word: low for fluent language, true or not.",
        "Cuánto sorprende la descripción a un modelo de lengua, por palabra: poco si es fluida, cierta o no.",
    ),
    "chair_i": (
        "Share of the objects that captions name which are not in the picture.",
        "Proporción de los objetos nombrados que no están en la imagen.",
    ),
    "chair_s": (
        "Share of captions that name an object which is not in the picture.",
        "Proporción de descripciones que nombran un objeto que no está en la imagen.",
    ),
}
"""Name of a metric or judge -> what it means in English, in Spanish."""

LOWER_IS_BETTER = frozenset(
    ["wer", "wer_first", "mer", "wil", "cer", "perplexity", "perplexity_per_word", "chair_i", "chair_s"]
)
"""Of these, smaller values are better; of all others, larger ones."""
