"""Texts of the generated pages."""

CHANGES_TEXT = """\
Until November 2026 every claim got one word from a rule that put all of its tests together. The
numbers under the words have been derived again from the stored results by other code, and they
stand. The words did not: "partly" stood for anything from none to nine tenths of the tests met, an
interval that just covered a line was called a failure or half a success by a hair, and a claim of
many tests could hardly be reproduced at all.

Since then direction, size, scope and setting are told apart, each claim has one primary test, and
the word follows from one table (see [the ledger](ledger.md)). This page keeps the words of the
first scheme for every row. Where a row says nothing about its criterion, only the words for the
same test changed.

A criterion that is changed when results are known proves little by itself. Rows whose criterion
changed are marked *exploratory* until networks that nobody has seen yet, trained from fresh seeds,
have been judged by it."""

BLIND_TEXT = """\
Every headline claim that is judged was also read without its word and its criterion: the sentence
of the source and the figures next to its verdict, once by eyes that expect networks to compress
and once by eyes that do not. Where the eye and the word differ, the note of the claim says why: a
figure of one setting where the criterion asks several, layers at their ceiling that the eye
counts, a margin below what the eye sees. "Cannot tell" means that the figures near the verdict do
not show what the sentence is about."""
