"""Texts of the generated pages."""

CHANGES_TEXT = """\
Until November 2026 every claim got one word from a rule that put all of its tests together. The
numbers under the words have been derived again from the stored results by other code, and they
stand. The words did not: "partly" stood for anything from none to nine tenths of the tests met, an
interval that just covered a line was called a failure or half a success by a hair, and a claim of
many tests could hardly be reproduced at all.

Since then direction, size, scope and setting are told apart, each claim has one primary test, and
the word follows from one table (see [the ledger](ledger.md)). This page keeps the words of the
first scheme for each row that had one. Where a row says nothing about its criterion, only the
words for the same test changed.

A criterion that is changed when results are known proves little by itself. Rows whose criterion
changed are marked *exploratory* until networks that nobody has seen yet, trained from fresh seeds,
have been judged by it."""
