"""Every sentence of the report, in English and in Spanish, in one table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from leyenda.errors import LeyendaError
from leyenda.reports import number_format

LanguageCode = Literal["en", "es"]

LANGUAGES: tuple[str, ...] = get_args(LanguageCode)

TEXTS: dict[str, tuple[str, str]] = {
    # The frame of the page
    "skip_link": ("Skip to the report", "Saltar al informe"),
    "contents": ("Contents", "Contenido"),
    "made_by": ("Made by leyenda {version}.", "Hecho por leyenda {version}."),
    "self_contained": (
        "This page is one file and needs no network.",
        "Esta página es un solo archivo y no necesita red.",
    ),
    "model": ("Model", "Modelo"),
    "base_model": ("Base model", "Modelo de partida"),
    "notes": ("Notes", "Notas"),
    "warning": ("Warning:", "Aviso:"),
    "n_pictures": ("{count} pictures", "{count} imágenes"),
    "n_pictures_one": ("{count} picture", "{count} imagen"),
    "n_skipped": ("{count} skipped", "{count} omitidas"),
    "n_skipped_one": ("{count} skipped", "{count} omitida"),
    "yes": ("yes", "sí"),
    "no": ("no", "no"),
    # In short
    "summary": ("In short", "En resumen"),
    "headline_wer": (
        "Of 100 words, {errors} are wrong, missing or too many.",
        "De cada 100 palabras, {errors} están mal, faltan o sobran.",
    ),
    "headline_wer_one": (
        "Of 100 words, 1 is wrong, missing or too many.",
        "De cada 100 palabras, 1 está mal, falta o sobra.",
    ),
    "headline_wer_none": (
        "Not one word is wrong, missing or too many.",
        "Ni una palabra está mal, falta o sobra.",
    ),
    "headline_wer_few": (
        "Of 100 words, fewer than one is wrong, missing or too many.",
        "De cada 100 palabras, menos de una está mal, falta o sobra.",
    ),
    "headline_wer_over": (
        "For every 100 words that people wrote, the model makes {errors} mistakes.",
        "Por cada 100 palabras escritas por personas, el modelo comete {errors} errores.",
    ),
    "headline_score": ("{metric}: {value}", "{metric}: {value}"),
    "headline_empty": ("No picture was scored.", "No se ha puntuado ninguna imagen."),
    "headline_about": (
        "Each caption was generated from its picture alone and compared with the nearest caption that a person wrote.",
        "Cada descripción se generó solo a partir de su imagen y se comparó con la más parecida de las escritas "
        "por personas.",
    ),
    "compared_wer": ("Wrong words in 100 (less is better)", "Palabras erróneas de cada 100 (menos es mejor)"),
    "compared_score": ("{metric} ({direction})", "{metric} ({direction})"),
    "who": ("Captions", "Descripciones"),
    "this_model": ("This model", "Este modelo"),
    "base": ("Before tuning", "Antes del ajuste"),
    "constant": ("One sentence for all", "Una frase para todas"),
    "shuffled": ("Shuffled", "Barajadas"),
    "controls_about": (
        "Two controls show what a score is worth. “One sentence for all” gives every picture the same sentence, the "
        "best one found: “{caption}”. “Shuffled” hands the model's own captions to the wrong pictures. "
        "A model that looks at its pictures beats both.",
        "Dos controles muestran cuánto vale una puntuación. «Una frase para todas» da a cada imagen la misma frase, "
        "la mejor encontrada: «{caption}». «Barajadas» reparte las descripciones del propio modelo entre "
        "imágenes equivocadas. Un modelo que mira sus imágenes supera a los dos.",
    ),
    # Warnings, each with advice
    "warn_control": (
        "The model does not beat “{control}”.",
        "El modelo no supera a «{control}».",
    ),
    "warn_control_detail": (
        "Its {metric} is {model}; that control has {value}. It has not learned to look at the pictures.",
        "Su {metric} es {model}; la de ese control es {value}. No ha aprendido a mirar las imágenes.",
    ),
    "advice_control": (
        "Check that every caption belongs to its picture (leyenda data check), train longer, or start from a base "
        "model that already captions.",
        "Compruebe que cada descripción corresponde a su imagen (leyenda data check), entrene más tiempo o parta de un "
        "modelo que ya sepa describir imágenes.",
    ),
    "warn_same": (
        "The model says the same thing about many pictures.",
        "El modelo dice lo mismo de muchas imágenes.",
    ),
    "warn_same_detail": (
        "“{caption}” stands under {times} of {images} pictures.",
        "«{caption}» aparece bajo {times} de {images} imágenes.",
    ),
    "advice_same": (
        "Lower the learning rate (--set training.learning_rate=1e-5), train for fewer steps, or give it more varied "
        "captions.",
        "Baje la tasa de aprendizaje (--set training.learning_rate=1e-5), entrene menos pasos o dele descripciones más "
        "variadas.",
    ),
    "warn_base": ("Tuning made the model worse.", "El ajuste ha empeorado el modelo."),
    "warn_base_detail": (
        "Its {metric} was {value} before tuning and is {model} now.",
        "Su {metric} era {value} antes del ajuste y ahora es {model}.",
    ),
    "advice_base": (
        "Lower the learning rate, stop earlier, or keep the base model.",
        "Baje la tasa de aprendizaje, pare antes o quédese con el modelo de partida.",
    ),
    "warn_few": (
        "Few pictures: differences of a few points may be luck.",
        "Pocas imágenes: diferencias de pocos puntos pueden ser azar.",
    ),
    "warn_few_detail": ("These scores rest on {images}.", "Estas puntuaciones se apoyan en {images}."),
    "advice_few": (
        "Score on 100 pictures or more before choosing between models.",
        "Puntúe con 100 imágenes o más antes de elegir entre modelos.",
    ),
    "warn_not_finite": (
        "The training loss stopped being a number.",
        "La pérdida del entrenamiento dejó de ser un número.",
    ),
    "warn_not_finite_detail": ("First at step {step}.", "Por primera vez en el paso {step}."),
    "advice_not_finite": (
        "Lower the learning rate, or train in full precision.",
        "Baje la tasa de aprendizaje o entrene con precisión completa.",
    ),
    # Scores
    "scores": ("Scores", "Puntuaciones"),
    "metric_wer_first": ("WER, first caption", "WER, primera descripción"),
    "metric_distinct": ("Distinct", "Distintas"),
    "metric_sentence_similarity": ("Sentence similarity", "Similitud de frases"),
    "metric_perplexity": ("Perplexity per token", "Perplejidad por token"),
    "metric_perplexity_per_word": ("Perplexity per word", "Perplejidad por palabra"),
    "metric": ("Score", "Puntuación"),
    "higher": ("more is better", "más es mejor"),
    "lower": ("less is better", "menos es mejor"),
    "normalization": ("How the text was prepared", "Cómo se preparó el texto"),
    "scores_caption": (
        "Every score of the generated captions, beside the controls on the same pictures.",
        "Todas las puntuaciones de las descripciones generadas, junto a los controles con las mismas imágenes.",
    ),
    "interval": ("{low} to {high}", "{low} a {high}"),
    "interval_about": (
        "Below the model's own score, its 95% interval: where it would most likely lie on other pictures like these.",
        "Bajo la puntuación del modelo, su intervalo del 95 %: dónde estaría muy probablemente con otras imágenes como "
        "estas.",
    ),
    "interval_about_inline": (
        "In brackets, the 95% interval: where the score would most likely lie on other pictures like these.",
        "Entre paréntesis, el intervalo del 95 %: dónde estaría muy probablemente la puntuación con otras imágenes "
        "como estas.",
    ),
    "one_person": ("One person", "Una persona"),
    "model_beside_person": ("model: {value}", "modelo: {value}"),
    "human_about": (
        "“One person” is what people's own captions score: each of {images} with several captions gives one person's "
        "caption to be scored against the other people's. The model's number below it is against the same others; "
        "compare these two with each other, not with the other columns, where all captions count.",
        "«Una persona» es lo que obtienen las descripciones de las propias personas: en {images} con varias "
        "descripciones, la de una persona se puntúa frente a las de las demás. El número del modelo que está debajo es "
        "frente a esas mismas personas; compare los dos entre sí, no con las otras columnas, donde cuentan todas las "
        "descripciones.",
    ),
    # Learning curves
    "curves": ("Learning curves", "Curvas de aprendizaje"),
    "curves_more": ("More curves", "Más curvas"),
    "curve_loss": ("Loss", "Pérdida"),
    "curve_reward": ("Reward", "Recompensa"),
    "curve_learning_rate": ("Learning rate", "Tasa de aprendizaje"),
    "curve_grad_norm": ("Gradient norm", "Norma del gradiente"),
    "series_loss": ("training", "entrenamiento"),
    "series_eval_loss": ("validation", "validación"),
    "step": ("Step", "Paso"),
    "value": ("Value", "Valor"),
    "curve_about": (
        "{title}: {first} at step {first_step}, {last} at step {last_step}.",
        "{title}: {first} en el paso {first_step}, {last} en el paso {last_step}.",
    ),
    "curve_about_one": (
        "{title}: {first} at step {first_step}.",
        "{title}: {first} en el paso {first_step}.",
    ),
    "curve_lowest": ("Lowest: {value} at step {step}.", "Mínimo: {value} en el paso {step}."),
    "curve_highest": ("Highest: {value} at step {step}.", "Máximo: {value} en el paso {step}."),
    "as_numbers": ("{title} as numbers", "{title} en números"),
    "thinned": (
        "{shown} of {all} points, evenly spread.",
        "{shown} de {all} puntos, repartidos por igual.",
    ),
    # What the captions are like
    "shape": ("What the captions are like", "Cómo son las descripciones"),
    "lengths": ("Words in a caption", "Palabras por descripción"),
    "lengths_about": (
        "The model's captions have {model} words on average; those of people have {people}.",
        "Las descripciones del modelo tienen {model} palabras de media; las de las personas, {people}.",
    ),
    "lengths_about_alone": (
        "The model's captions have {model} words on average.",
        "Las descripciones del modelo tienen {model} palabras de media.",
    ),
    "words": ("Words", "Palabras"),
    "share_model": ("Model", "Modelo"),
    "share_people": ("People", "Personas"),
    "confidences": ("How sure the model is", "Cuánta seguridad tiene el modelo"),
    "confidences_about": (
        "Confidence is the typical probability that the model gave each word piece it chose: {mean} on average. "
        "If it means something, the sure captions are also the right ones.",
        "La confianza es la probabilidad típica que el modelo dio a cada trozo de palabra elegido: {mean} de media. "
        "Si significa algo, las descripciones más seguras son también las acertadas.",
    ),
    "confidence": ("Confidence", "Confianza"),
    "share": ("Share", "Parte"),
    "share_right": ("Share that is right", "Parte acertada"),
    "numbers": ("As numbers", "En números"),
    "captions_counted": ("Captions", "Descripciones"),
    "reliability": ("Does confidence mean anything?", "¿Significa algo la confianza?"),
    "reliability_good": (
        "Yes. Of two captions of which one is right and one is wrong, the right one has the higher confidence in "
        "{share} of cases (50% would be chance).",
        "Sí. De dos descripciones, una acertada y otra no, la acertada tiene más confianza en el {share} de los casos "
        "(el 50 % sería azar).",
    ),
    "reliability_weak": (
        "A little. Of two captions of which one is right and one is wrong, the right one has the higher confidence in "
        "{share} of cases (50% would be chance).",
        "Un poco. De dos descripciones, una acertada y otra no, la acertada tiene más confianza en el {share} de los "
        "casos (el 50 % sería azar).",
    ),
    "reliability_chance": (
        "No. Of two captions of which one is right and one is wrong, the right one has the higher confidence in "
        "{share} of cases, and 50% is chance.",
        "No. De dos descripciones, una acertada y otra no, la acertada tiene más confianza en el {share} de los casos, "
        "y el 50 % es azar.",
    ),
    "reliability_all_right": (
        "Every caption is right, so nothing can be said.",
        "Todas las descripciones son acertadas, así que nada se puede decir.",
    ),
    "reliability_none_right": (
        "No caption is right, so nothing can be said.",
        "Ninguna descripción es acertada, así que nada se puede decir.",
    ),
    "reliability_about": (
        "A caption counts as right when at most half of its words would have to change. On the dashed line, 80% of the "
        "captions with confidence 80% are right; below it the model is too sure. On average it says {confidence} and "
        "is right in {right}. The larger a point, the more captions it stands for.",
        "Una descripción cuenta como acertada si habría que cambiar la mitad de sus palabras como mucho. En la línea "
        "discontinua, acierta el 80 % de las que tienen una confianza del 80 %; por debajo, el modelo está demasiado "
        "seguro. De media dice {confidence} y acierta el {right}. Cuanto mayor es un punto, más descripciones "
        "representa.",
    ),
    "statistics": ("How long, how varied", "Qué longitud, qué variedad"),
    "statistics_about": (
        "The model's captions beside the first caption that a person wrote of each picture. Neither high nor low is "
        "better here, but far from people's numbers something is wrong.",
        "Las descripciones del modelo junto a la primera que escribió una persona de cada imagen. Aquí ni más ni menos "
        "es mejor, pero lejos de los números de las personas algo va mal.",
    ),
    "statistic": ("Fact", "Dato"),
    "stat_mean_words": ("Words per caption", "Palabras por descripción"),
    "stat_mean_words_about": ("On average.", "De media."),
    "stat_vocabulary": ("Vocabulary", "Vocabulario"),
    "stat_vocabulary_about": (
        "Different words in all captions.",
        "Palabras distintas en todas las descripciones.",
    ),
    "stat_distinct_1": ("Distinct-1", "Distinct-1"),
    "stat_distinct_1_about": (
        "Different words over all words.",
        "Palabras distintas sobre todas las palabras.",
    ),
    "stat_distinct_2": ("Distinct-2", "Distinct-2"),
    "stat_distinct_2_about": (
        "Different word pairs over all word pairs; low: the same phrases again and again.",
        "Pares de palabras distintos sobre todos los pares; pocos: las mismas frases una y otra vez.",
    ),
    "stat_distinct_3": ("Distinct-3", "Distinct-3"),
    "stat_distinct_3_about": ("The same for three words in a row.", "Lo mismo con tres palabras seguidas."),
    "stat_distinct_4": ("Distinct-4", "Distinct-4"),
    "stat_distinct_4_about": ("The same for four words in a row.", "Lo mismo con cuatro palabras seguidas."),
    "stat_distinct": ("Distinct captions", "Descripciones distintas"),
    "stat_distinct_about": ("Different captions over pictures.", "Descripciones distintas sobre imágenes."),
    "stat_copied": ("Copied", "Copiadas"),
    "stat_copied_about": (
        "Captions that stand word by word among the training captions.",
        "Descripciones que están, palabra por palabra, entre las de entrenamiento.",
    ),
    "stat_mean_confidence": ("Confidence", "Confianza"),
    "stat_mean_confidence_about": (
        "How sure the model says it is.",
        "Cuánta seguridad dice tener el modelo.",
    ),
    "share_pictures": ("Share of pictures", "Parte de las imágenes"),
    "mean_metric": ("Mean {metric}", "{metric}, media"),
    # Pictures
    "pictures": ("Pictures", "Imágenes"),
    "best": ("Best", "Las mejores"),
    "worst": ("Worst", "Las peores"),
    "random": ("Drawn at random", "Elegidas al azar"),
    "all": ("All pictures, best first", "Todas las imágenes, de mejor a peor"),
    "ranked_by": ("Ranked by {metric} of each picture.", "Ordenadas por {metric} de cada imagen."),
    "legend": (
        "Differences from the nearest human caption:",
        "Diferencias con la descripción humana más parecida:",
    ),
    "legend_missing": ("that the model left out", "que el modelo omitió"),
    "legend_extra": ("that only the model says", "que solo dice el modelo"),
    "mark_missing": ("left out:", "omitida:"),
    "mark_extra": ("only the model:", "solo el modelo:"),
    "difference": ("Differences", "Diferencias"),
    "people": ("People", "Personas"),
    "nearest": ("nearest", "la más parecida"),
    "no_references": ("No human caption was given.", "No hay descripción humana."),
    "empty_caption": ("(empty caption)", "(descripción vacía)"),
    "same_words": ("Exactly as a person wrote it.", "Tal como la escribió una persona."),
    "picture_scores": ("Scores of this picture", "Puntuaciones de esta imagen"),
    "no_picture": ("The picture cannot be shown:", "No se puede mostrar la imagen:"),
    "no_source": ("the predictions do not say where it lies.", "las predicciones no dicen dónde está."),
    # Error patterns
    "patterns": ("Which words go wrong", "Qué palabras fallan"),
    "missed": ("Missed most", "Las más omitidas"),
    "missed_about": (
        "At least half of the people who described a picture say the word; the model does not.",
        "Al menos la mitad de quienes describieron una imagen dice la palabra; el modelo no.",
    ),
    "invented": ("Invented most", "Las más inventadas"),
    "invented_about": (
        "The model says the word; nobody who described the picture does.",
        "El modelo dice la palabra; nadie que describiera la imagen la dice.",
    ),
    "swapped": ("Mistaken for each other", "Confundidas entre sí"),
    "swapped_about": (
        "Where a person wrote the first word, the model wrote the second.",
        "Donde una persona escribió la primera palabra, el modelo escribió la segunda.",
    ),
    "word": ("Word", "Palabra"),
    "people_say": ("People say", "Dicen las personas"),
    "model_says": ("Model says", "Dice el modelo"),
    "times": ("Times", "Veces"),
    "out_of": ("of", "de"),
    "patterns_none": ("No word stands out.", "Ninguna palabra destaca."),
    "patterns_sample": (
        "Counted on {images} drawn at random.",
        "Contadas en {images} elegidas al azar.",
    ),
    # Skipped, data, recipe
    "skipped": ("Skipped pictures", "Imágenes omitidas"),
    "skipped_about": (
        "These have no score: {images} in all.",
        "Estas no tienen puntuación: {images} en total.",
    ),
    "picture": ("Picture", "Imagen"),
    "reason": ("Reason", "Motivo"),
    "and_more": ("and {count} more", "y {count} más"),
    "data": ("The data", "Los datos"),
    "fact_source": ("Source", "Origen"),
    "fact_format": ("Format", "Formato"),
    "fact_images": ("Pictures", "Imágenes"),
    "fact_pictures": ("Pictures", "Imágenes"),
    "fact_captions": ("Captions", "Descripciones"),
    "fact_captions_per_image": ("Captions per picture", "Descripciones por imagen"),
    "fact_words": ("Words per caption", "Palabras por descripción"),
    "fact_vocabulary": ("Different words", "Palabras distintas"),
    "fact_splits": ("Splits", "Particiones"),
    "fact_train": ("Training", "Entrenamiento"),
    "fact_validation": ("Validation", "Validación"),
    "fact_test": ("Test", "Prueba"),
    "fact_frequent_words": ("Most frequent words", "Palabras más frecuentes"),
    "fact_width": ("Width in pixels", "Ancho en píxeles"),
    "fact_height": ("Height in pixels", "Alto en píxeles"),
    "fact_formats": ("Picture formats", "Formatos de imagen"),
    "fact_unreadable": ("Unreadable", "Ilegibles"),
    "fact_min": ("lowest", "mínimo"),
    "fact_mean": ("mean", "media"),
    "fact_median": ("median", "mediana"),
    "fact_max": ("highest", "máximo"),
    "fact_problems": ("Problems", "Problemas"),
    "problems": ("What is wrong with the data", "Qué problemas tienen los datos"),
    "problems_none": (
        "Nothing was found in {images} with {captions}.",
        "No se encontró ninguno en {images} con {captions}.",
    ),
    "problems_about": (
        "Found in {images} with {captions}, as leyenda data check lists them.",
        "Encontrados en {images} con {captions}, como los enumera leyenda data check.",
    ),
    "n_captions": ("{count} captions", "{count} descripciones"),
    "n_captions_one": ("{count} caption", "{count} descripción"),
    "problem": ("Problem", "Problema"),
    "problem_missing_image": ("Pictures that are not there", "Imágenes que no están"),
    "problem_empty_image": ("Picture files without a byte in them", "Archivos de imagen vacíos"),
    "problem_truncated_image": ("Pictures that end too early", "Imágenes cortadas"),
    "problem_unreadable_image": (
        "Files that are no readable picture",
        "Archivos que no son una imagen legible",
    ),
    "problem_too_large_image": (
        "Pictures with more pixels than is safe",
        "Imágenes con más píxeles de lo prudente",
    ),
    "problem_outside_folder": (
        "Pictures outside the data set's folder",
        "Imágenes fuera de la carpeta de los datos",
    ),
    "problem_no_caption": ("Pictures without a caption", "Imágenes sin descripción"),
    "problem_empty_caption": ("Captions without a word", "Descripciones sin una palabra"),
    "problem_duplicate_image": ("Pictures with the same bytes as another", "Imágenes idénticas a otra"),
    "problem_near_duplicate_image": (
        "Pictures that look the same as another",
        "Imágenes que parecen iguales a otra",
    ),
    "problem_split_leak": ("Pictures that stand in two splits", "Imágenes que están en dos particiones"),
    "problem_unknown_token": (
        "Captions with characters that the model does not know",
        "Descripciones con caracteres que el modelo no conoce",
    ),
    "problem_lost_case": (
        "Captions whose capital letters the model drops",
        "Descripciones cuyas mayúsculas pierde el modelo",
    ),
    "problem_lost_accent": (
        "Captions whose accents the model drops",
        "Descripciones cuyas tildes pierde el modelo",
    ),
    "problem_changed": (
        "Captions that the model cannot write as they are",
        "Descripciones que el modelo no puede escribir tal como son",
    ),
    "problem_too_long": ("Captions that are cut for their length", "Descripciones cortadas por su longitud"),
    # Two sets of captions
    "compare_title": ("Two sets of captions", "Dos conjuntos de descripciones"),
    "compare_better": ("{side} is better on {names}.", "{side} es mejor en {names}."),
    "compare_open": (
        "On {names} the difference is within what {images} can tell.",
        "En {names} la diferencia no pasa de lo que {images} permiten distinguir.",
    ),
    "compare_equal": (
        "Neither is better: every difference is within what {images} can tell.",
        "Ninguno es mejor: ninguna diferencia pasa de lo que {images} permiten distinguir.",
    ),
    "compare_none": (
        "None of these scores can be compared picture by picture.",
        "Ninguna de estas puntuaciones se puede comparar imagen por imagen.",
    ),
    "compare_about": (
        "A side is called better on a score when the 95% interval of the difference leaves out 0 and its p-value is at "
        "most 0.05. Of twenty scores that are all equal, one will look different by chance.",
        "Se dice que uno es mejor en una puntuación si el intervalo del 95 % de la diferencia no contiene el 0 y su "
        "valor p es como mucho 0,05. De veinte puntuaciones iguales, una parecerá distinta por azar.",
    ),
    "compare_caption": (
        "Every score of both, the difference with its 95% interval, and on how many pictures B wins, loses and ties.",
        "Todas las puntuaciones de ambos, la diferencia con su intervalo del 95 % y en cuántas imágenes gana, pierde y "
        "empata B.",
    ),
    "compare_wins": ("B wins / loses / ties", "B gana / pierde / empata"),
    "compare_side": ("{side} is better", "{side} es mejor"),
    "compare_how": (
        "Intervals: {method}, {resamples} resamples. p: how often captions dealt to the two by the toss of coins "
        "differ at least as much, {permutations} times. Seed {seed}.",
        "Intervalos: {method}, {resamples} remuestreos. p: con qué frecuencia difieren al menos tanto las "
        "descripciones repartidas a cara o cruz, {permutations} veces. Semilla {seed}.",
    ),
    "compare_missing": ("that the caption left out", "que la descripción omitió"),
    "compare_extra": ("that only the caption says", "que solo dice la descripción"),
    "compare_pictures": ("Where they differ most", "Dónde difieren más"),
    "compare_b_better": ("B is better", "B es mejor"),
    "compare_a_better": ("A is better", "A es mejor"),
    "recipe": ("The recipe", "La receta"),
    "recipe_about": (
        "Everything that decided this training run, to repeat it.",
        "Todo lo que decidió este entrenamiento, para poder repetirlo.",
    ),
    "recipe_show": ("Show the recipe", "Mostrar la receta"),
    "examples": ("Examples", "Ejemplos"),
}
"""Key -> the text in English and in Spanish. A key that ends in `_one` is its base key's text for a count of one."""


@dataclass(frozen=True, slots=True)
class Wording:
    """The report's texts and numbers in one language.

    Args:
        language: `en` or `es`.

    >>> wording("es")("summary"), wording("en").counted("n_pictures", 1)
    ('En resumen', '1 picture')
    """

    language: str

    def __call__(self, key: str, **values: object) -> str:
        """The text of that key, its places filled in."""
        return TEXTS[key][LANGUAGES.index(self.language)].format(**values)

    def fact(self, name: str) -> str:
        """The name of a fact about the data, translated where the table has it."""
        key = f"fact_{name}"
        return self(key) if key in TEXTS else name.replace("_", " ")

    def counted(self, key: str, count: int) -> str:
        """The text of that key for so many things, as singular or plural."""
        return self(f"{key}_one" if count == 1 else key, count=self.count(count))

    def number(self, value: float, digits: int = 3) -> str:
        """A number with so many decimals."""
        return number_format.number(value, self.language, digits)

    def quantity(self, value: float) -> str:
        """A number of any size."""
        return number_format.quantity(value, self.language)

    def count(self, value: int) -> str:
        """A whole number."""
        return number_format.count(value, self.language)

    def percent(self, share: float) -> str:
        """A share between 0 and 1."""
        return number_format.percent(share, self.language)


def wording(language: str) -> Wording:
    """The texts in that language.

    Args:
        language: `en` or `es`.

    Raises:
        LeyendaError: no report is written in that language.
    """
    if language not in LANGUAGES:
        raise LeyendaError(f"There is no report in {language!r}.", f"Choose one of: {', '.join(LANGUAGES)}.")
    return Wording(language)
