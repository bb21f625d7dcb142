"""Texts of the generated pages."""

TABLE_OF_WORDS = """\
:::{dropdown} How the word follows
| expected | primary test | size | scope | word |
| --- | --- | --- | --- | --- |
| effect | agrees | as claimed, larger, no number given | enough cells | reproduced |
| effect | agrees | smaller, open | enough cells | direction only |
| effect | agrees | any | too few cells | mixed (k of m) |
| effect | open | – | – | open |
| effect | inside the margin | – | – | none found |
| effect | opposite | – | – | opposite |
| absence | inside the margin | – | enough, too few cells | reproduced, mixed (k of m) |
| absence | beyond the margin | – | – | opposite |
| absence | covers the margin | – | – | open |
| either, on a stand-in | as above | – | – | seen, open, not seen on a stand-in |
| identity, theorem | every case tried, a counterexample | – | – | holds, fails |

Enough cells: one where the claim says *can* (the best of many is corrected by Holm's rule), half of
them where it says *typically*, more than half and none against it where it says *all*.
:::"""

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
