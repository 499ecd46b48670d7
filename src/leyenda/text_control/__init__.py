"""What a user asks of a caption's text, without a model: rules that every caption keeps, and prompts from columns."""

from leyenda.text_control.prompt_template import PromptTemplate
from leyenda.text_control.rules import TextRules

__all__ = ["PromptTemplate", "TextRules"]
