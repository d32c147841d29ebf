"""What a comparison may claim: plain numbers in, frozen models out; no file, no queue, no clock.

Cases ran in rounds, each round in an order of its own, with a baseline case in every round. A case has one number per
round and quantity (`ByRound`): what two cases differ by is looked at within each round, so that what befell a whole
round befell both. `docs/statistics.md` says in plain words what is done and why, with its sources.

* `own_median` how sure a case's own median is;
* `comparison` a case against the baseline, and `two_runs` where there are steps in place of rounds;
* `correction` many such comparisons at once;
* `ranking`, `pareto` which cases are best, as far as can be told;
* `enough` whether there are rounds enough to see a difference of a given size;
* `gate` whether a limit on slowness is broken;
* `doubts` when all of that is to be distrusted, and what to try.
"""

TO_SEE = 0.05
"""Of a step's time or of a phase's: an experiment has as many rounds as it takes to see this, unless told otherwise."""
MOST_ROUNDS = 500
"""Of such an experiment: they see it where the ratios of rounds spread by 26 %."""
ENOUGH_ROUNDS = 10
"""Fewer are told as too few: these find 5 % on a quiet machine alone, whose rounds repeat within 3 %."""
