"""Scores and predictions become a page for people, and its Markdown twin for model cards."""

from leyenda.reports.comparison_page import render_comparison, write_comparison
from leyenda.reports.markdown import render_markdown
from leyenda.reports.page import render_report, write_report

__all__ = ["render_comparison", "render_markdown", "render_report", "write_comparison", "write_report"]
